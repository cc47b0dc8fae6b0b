//! Tasks, mentions, findings: what is asked, and what comes of an answer.

use std::ops::Range;

use som_core::{
    Error, Finish, Point, ProviderInfo, Result, Usage,
    ground::{Location, Mention, Shape, Status},
    task::{Agreement, Finding, Task},
};

use crate::{
    pb::v1::{self as pb, location::Shape as WireShape, task::Kind},
    region,
};

/// To the wire.
pub fn task_to_wire(task: &Task) -> pb::Task {
    let kind = match task.clone() {
        Task::Ask { question } => Kind::Ask(pb::AskTask { question }),
        Task::Describe { marks, vocabulary } => {
            Kind::Describe(pb::DescribeTask { marks, vocabulary })
        }
        Task::Refer { expressions } => Kind::Refer(pb::ReferTask { expressions }),
        Task::Phrases { sentence, phrases } => Kind::Phrases(pb::PhrasesTask { sentence, phrases }),
        Task::Track { marks } => Kind::Track(pb::TrackTask { marks }),
    };
    pb::Task { kind: Some(kind) }
}

/// From the wire.
///
/// # Errors
/// Invalid, if no task is set, or its text is empty.
pub fn task_from_wire(wire: Option<pb::Task>) -> Result<Task> {
    let kind = wire.and_then(|task| task.kind);
    let task = match kind.ok_or_else(|| Error::invalid("task is not set"))? {
        Kind::Ask(pb::AskTask { question }) => Task::Ask { question },
        Kind::Describe(pb::DescribeTask { marks, vocabulary }) => {
            Task::Describe { marks, vocabulary }
        }
        Kind::Refer(pb::ReferTask { expressions }) => Task::Refer { expressions },
        Kind::Phrases(pb::PhrasesTask { sentence, phrases }) => Task::Phrases { sentence, phrases },
        Kind::Track(pb::TrackTask { marks }) => Task::Track { marks },
    };
    let is_empty = match &task {
        Task::Ask { question } => question.trim().is_empty(),
        Task::Refer { expressions } => expressions.iter().all(|text| text.trim().is_empty()),
        Task::Phrases { sentence, .. } => sentence.trim().is_empty(),
        Task::Describe { .. } | Task::Track { .. } => false,
    };
    match is_empty {
        true => Err(Error::invalid(format!(
            "task {}: its text is empty",
            task.name()
        ))),
        false => Ok(task),
    }
}

/// To the wire.
pub fn mention_to_wire(mention: &Mention) -> pb::Mention {
    pb::Mention {
        span: Some(span_to_wire(&mention.span)),
        status: status_to_wire(mention.status).into(),
        marks: mention.marks.clone(),
        unresolved: mention.unresolved.clone(),
        location: mention.location.as_ref().map(location_to_wire),
    }
}

/// From the wire.
///
/// # Errors
/// Invalid, if the span is missing or the status is unknown.
pub fn mention_from_wire(wire: pb::Mention) -> Result<Mention> {
    Ok(Mention {
        status: status_from_wire(wire.status())?,
        span: span_from_wire(wire.span.ok_or_else(|| Error::invalid("span is not set"))?),
        marks: wire.marks,
        unresolved: wire.unresolved,
        location: wire.location.map(location_from_wire).transpose()?,
    })
}

/// To the wire; `agreement` is the share of several answers that say the same.
pub fn finding_to_wire(finding: &Finding, agreement: Option<f64>) -> pb::Finding {
    pb::Finding {
        text: finding.text.clone(),
        span: finding.span.as_ref().map(span_to_wire),
        of: finding.of,
        marks: finding.marks.clone(),
        status: status_to_wire(finding.status).into(),
        agreement,
    }
}

/// From the wire.
///
/// # Errors
/// Invalid, if the status is unknown.
pub fn finding_from_wire(wire: pb::Finding) -> Result<Finding> {
    Ok(Finding {
        status: status_from_wire(wire.status())?,
        text: wire.text,
        span: wire.span.map(span_from_wire),
        of: wire.of,
        marks: wire.marks,
    })
}

/// To the wire.
pub fn agreement_to_wire(agreement: &Agreement) -> pb::Agreement {
    let Agreement { mark, votes, share } = *agreement;
    pb::Agreement { mark, votes, share }
}

/// To the wire.
pub fn usage_to_wire(usage: Usage) -> pb::Usage {
    let Usage {
        input_tokens,
        output_tokens,
        cached_tokens,
    } = usage;
    pb::Usage {
        input_tokens,
        output_tokens,
        cached_tokens,
    }
}

/// To the wire: how an answer ended, and why it is not complete.
pub fn finish_to_wire(finish: &Finish) -> (pb::Finish, String) {
    match finish {
        Finish::Stop => (pb::Finish::Stop, String::new()),
        Finish::Length => (pb::Finish::Length, String::new()),
        Finish::Refusal(why) => (pb::Finish::Refusal, why.clone()),
        Finish::Partial(why) => (pb::Finish::Partial, why.clone()),
    }
}

/// To the wire: who a model is.
pub fn lmm_to_wire(info: &ProviderInfo) -> pb::Lmm {
    pb::Lmm {
        name: info.name.clone(),
        provider: info.provider.clone(),
        model: info.model.clone(),
    }
}

/// To the wire: who a model is and what it can do.
pub fn info_to_wire(info: &ProviderInfo) -> pb::LmmInfo {
    pb::LmmInfo {
        lmm: Some(lmm_to_wire(info)),
        vision: info.vision,
        structured: info.structured,
        priced: info.prices.is_some(),
    }
}

fn span_to_wire(span: &Range<usize>) -> pb::Span {
    pb::Span {
        start: span.start as u64,
        end: span.end as u64,
    }
}

fn span_from_wire(wire: pb::Span) -> Range<usize> {
    let index = |index: u64| usize::try_from(index).unwrap_or(usize::MAX);
    index(wire.start)..index(wire.end)
}

fn location_to_wire(location: &Location) -> pb::Location {
    let shape = match location.shape {
        Shape::Box(bbox) => WireShape::Box(region::bbox_to_wire(bbox)),
        Shape::Point(Point { x, y }) => WireShape::Point(pb::Point { x, y }),
    };
    pb::Location {
        // A request has far fewer than 2^32 images.
        image: u32::try_from(location.image).unwrap_or(u32::MAX),
        shape: Some(shape),
        iou: location.iou,
    }
}

fn location_from_wire(wire: pb::Location) -> Result<Location> {
    let shape = match wire.shape {
        Some(WireShape::Box(bbox)) => Shape::Box(region::bbox_from_wire(bbox)),
        Some(WireShape::Point(pb::Point { x, y })) => Shape::Point(Point::new(x, y)),
        None => return Err(Error::invalid("neither box nor point is set")),
    };
    Ok(Location {
        image: wire.image as usize,
        shape,
        iou: wire.iou,
    })
}

fn status_to_wire(status: Status) -> pb::MentionStatus {
    match status {
        Status::Resolved => pb::MentionStatus::Resolved,
        Status::Ambiguous => pb::MentionStatus::Ambiguous,
        Status::OutOfRange => pb::MentionStatus::OutOfRange,
        Status::Unknown => pb::MentionStatus::Unknown,
    }
}

fn status_from_wire(wire: pb::MentionStatus) -> Result<Status> {
    match wire {
        pb::MentionStatus::Resolved => Ok(Status::Resolved),
        pb::MentionStatus::Ambiguous => Ok(Status::Ambiguous),
        pb::MentionStatus::OutOfRange => Ok(Status::OutOfRange),
        pb::MentionStatus::Unknown => Ok(Status::Unknown),
        pb::MentionStatus::Unspecified => Err(Error::invalid("status is unknown")),
    }
}

#[cfg(test)]
mod tests {
    use som_core::BBox;

    use super::*;

    #[test]
    fn tasks_come_back_as_they_were() {
        let text = || "a cup".to_owned();
        for task in [
            Task::Ask { question: text() },
            Task::Describe {
                marks: vec![1, 3],
                vocabulary: vec![text()],
            },
            Task::Refer {
                expressions: vec![text(), text()],
            },
            Task::Phrases {
                sentence: text(),
                phrases: vec![text()],
            },
            Task::Track { marks: vec![2] },
        ] {
            assert_eq!(task_from_wire(Some(task_to_wire(&task))).unwrap(), task);
        }
        let message = |wire| task_from_wire(wire).unwrap_err().to_string();
        assert_eq!(message(None), "task is not set");
        let empty = Task::Ask {
            question: " ".to_owned(),
        };
        assert_eq!(
            message(Some(task_to_wire(&empty))),
            "task ask: its text is empty"
        );
    }

    #[test]
    fn mentions_come_back_as_they_were() {
        let at = |shape| {
            Some(Location {
                image: 1,
                shape,
                iou: 0.75,
            })
        };
        for (status, location) in [
            (Status::Resolved, None),
            (Status::Ambiguous, at(Shape::Box(BBox::new(1, 2, 3, 4)))),
            (Status::OutOfRange, None),
            (Status::Unknown, at(Shape::Point(Point::new(5, 6)))),
        ] {
            let mention = Mention {
                span: 3..9,
                status,
                marks: vec![4, 2],
                unresolved: vec!["99".into()],
                location,
            };
            assert_eq!(
                mention_from_wire(mention_to_wire(&mention)).unwrap(),
                mention
            );
        }
        let error = mention_from_wire(pb::Mention::default()).unwrap_err();
        assert_eq!(error.message(), "status is unknown");
    }

    #[test]
    fn findings_come_back_as_they_were() {
        let finding = Finding {
            text: "a cup".into(),
            span: Some(2..7),
            of: Some(1),
            marks: vec![9],
            status: Status::Resolved,
        };
        let wire = finding_to_wire(&finding, Some(0.5));
        assert_eq!(wire.agreement, Some(0.5));
        assert_eq!(finding_from_wire(wire).unwrap(), finding);
    }
}
