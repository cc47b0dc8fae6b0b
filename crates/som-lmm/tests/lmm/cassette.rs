use som_core::{ErrorKind, Finish, Part, Prompt, encode::Encoding};

use crate::{
    fake::{Fake, Reply, ask, model, picture, words},
    wire::{OPENAI, Wire},
};

const WIRE: &dyn Wire = OPENAI;

fn shown(seed: u8) -> Prompt {
    Prompt::new([
        Part::Text("What is [3]?".into()),
        Part::Image(picture(seed, Encoding::Png)),
    ])
}

#[tokio::test]
async fn what_was_recorded_is_given_again_without_asking() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("recordings");
    let fake = Fake::start([WIRE.stream(&["A ", "cup."]), WIRE.stream(&["A dog."])]).await;
    let recorder = model(&WIRE.table(&fake, &format!("record = '{}'", place.display())));
    let first = ask(&*recorder, &shown(1)).await;
    assert_eq!(first.deltas, ["A ", "cup."]);
    ask(&*recorder, &shown(2)).await;

    let player = model(&WIRE.table(&fake, &format!("replay = '{}'", place.display())));
    let again = ask(&*player, &shown(1)).await;
    assert_eq!(again.answer, first.answer);
    assert_eq!(ask(&*player, &shown(2)).await.answer.text, "A dog.");
    assert_eq!(fake.requests().len(), 2);

    // Whatever differs in what would be sent is another prompt.
    let different = [
        words("What is [3]?"),
        shown(3),
        Prompt {
            seed: Some(1),
            ..shown(1)
        },
        Prompt {
            system: Some("Be brief.".into()),
            ..shown(1)
        },
    ];
    for prompt in different {
        let error = ask(&*player, &prompt).await.error.unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains("recordings"), "{error}");
    }
    // What is not sent makes no difference.
    let mut noted = shown(1);
    noted.notes.question = "What?".into();
    assert_eq!(ask(&*player, &noted).await.answer.text, "A cup.");
}

#[tokio::test]
async fn what_broke_off_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let record = format!("retries = 0\nrecord = '{}'", folder.path().display());
    let cut = Reply::events(WIRE.pieces(&["half"])).cut();
    let fake = Fake::start([cut, WIRE.error(500, "no")]).await;
    let recorder = model(&WIRE.table(&fake, &record));
    let outcome = ask(&*recorder, &words("hi")).await;
    assert!(matches!(outcome.answer.finish, Some(Finish::Partial(_))));
    assert!(ask(&*recorder, &words("hi")).await.error.is_some());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let fake = Fake::start([WIRE.stream(&["ok"])]).await;
    let record = format!("record = '{}/x'", file.path().display());
    let outcome = ask(&*model(&WIRE.table(&fake, &record)), &words("hi")).await;
    let error = outcome.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("cannot be written"), "{error}");
    assert_eq!(outcome.deltas, ["ok"]);
}

#[tokio::test]
async fn a_damaged_recording_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start([WIRE.stream(&["ok"])]).await;
    let at = |key: &str| WIRE.table(&fake, &format!("{key} = '{}'", folder.path().display()));
    ask(&*model(&at("record")), &words("hi")).await;
    let entry = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    std::fs::write(entry.unwrap().path(), "{").unwrap();
    let error = ask(&*model(&at("replay")), &words("hi"))
        .await
        .error
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("is no recording"), "{error}");
}
