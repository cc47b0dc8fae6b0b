//! A network beside what a file says about it.

use som_torch::{checkpoint::Contradictions, decoder::LevelOrder};

use super::{BackboneSizes, Config, Selection, Told};

impl Config {
    /// Everything that `said` says otherwise than the tensors, or that cannot be.
    pub(super) fn contradictions(&self, said: &Told) -> Contradictions {
        let mut wrong = Contradictions::default();
        let (pixel, queries) = (&self.pixel_decoder, &self.queries);
        let levels = pixel.count() as i64;
        for (name, told, found) in [
            ("num_classes", said.num_classes, self.classes),
            ("conv_dim", said.conv_dim, pixel.channels),
            ("mask_dim", said.mask_dim, pixel.mask_channels),
            ("hidden_dim", said.hidden_dim, queries.channels),
            ("num_queries", said.num_queries, self.query_count()),
            (
                "encoder_dim_feedforward",
                said.encoder_dim_feedforward,
                pixel.hidden,
            ),
            (
                "decoder_dim_feedforward",
                said.decoder_dim_feedforward,
                queries.hidden,
            ),
            ("encoder_layers", said.encoder_layers, pixel.layers),
            ("decoder_layers", said.decoder_layers, queries.layers),
            ("nheads_decoder", said.nheads_decoder, queries.heads),
            ("n_points", said.n_points, pixel.points),
            ("n_points", said.n_points, queries.points),
            (
                "total_num_feature_levels",
                said.total_num_feature_levels,
                levels,
            ),
        ] {
            wrong.compare(name, told.as_ref(), &found);
        }
        let two_stage = matches!(self.selection, Selection::Proposals { .. });
        wrong.compare("two_stage", said.two_stage.as_ref(), &two_stage);
        if let Selection::Proposals {
            learned_content, ..
        } = self.selection
        {
            wrong.compare("learn_tgt", said.learn_tgt.as_ref(), &learned_content);
        }
        let ce = said.semantic_ce_loss.as_ref();
        wrong.compare("semantic_ce_loss", ce, &self.has_no_object);
        let names = (pixel.finest..pixel.features.len()).map(|index| format!("res{}", index + 2));
        let told = said.transformer_in_features.as_ref();
        wrong.compare("transformer_in_features", told, &names.collect());
        let order = match pixel.order {
            LevelOrder::FineFirst => "low2high",
            LevelOrder::CoarseFirst => "high2low",
        };
        wrong.compare(
            "feature_order",
            said.feature_order.as_ref(),
            &order.to_owned(),
        );
        self.backbone.compare(said, &mut wrong);
        self.impossible(said, &mut wrong);
        wrong
    }
}

impl BackboneSizes {
    fn compare(&self, said: &Told, wrong: &mut Contradictions) {
        let name = match self {
            Self::ResNet(_) => "r50",
            Self::Swin(_) => "swin",
        };
        wrong.compare("backbone", said.backbone.as_ref(), &name.to_owned());
        match self {
            Self::ResNet(sizes) => {
                let told = said.resnet.clone().unwrap_or_default();
                let stage = sizes.stages.first();
                let output = stage.map_or(0, |stage| stage.output);
                let groups = stage.map_or(0, |stage| stage.groups);
                wrong.compare(
                    "stem_out_channels",
                    told.stem_out_channels.as_ref(),
                    &sizes.stem,
                );
                wrong.compare(
                    "res2_out_channels",
                    told.res2_out_channels.as_ref(),
                    &output,
                );
                wrong.compare("num_groups", told.num_groups.as_ref(), &groups);
            }
            Self::Swin(sizes) => {
                let told = said.swin.clone().unwrap_or_default();
                let stages = || sizes.stages.iter();
                let width = stages().next().map_or(0, |stage| stage.channels);
                let window = stages().next().map_or(0, |stage| stage.window);
                let depths = stages().map(|stage| stage.blocks).collect();
                let heads = stages().map(|stage| stage.heads).collect();
                wrong.compare("patch_size", told.patch_size.as_ref(), &sizes.patch);
                wrong.compare("embed_dim", told.embed_dim.as_ref(), &width);
                wrong.compare("window_size", told.window_size.as_ref(), &window);
                wrong.compare("depths", told.depths.as_ref(), &depths);
                wrong.compare("num_heads", told.num_heads.as_ref(), &heads);
            }
        }
    }
}

impl Config {
    /// What no network can have.
    fn impossible(&self, said: &Told, wrong: &mut Contradictions) {
        let input = self.input;
        let groups = self.pixel_decoder.groups;
        if groups < 1 || self.pixel_decoder.channels % groups != 0 {
            let channels = self.pixel_decoder.channels;
            let told = format!(
                "group_norm_groups is {groups}, which does not share out {channels} channels"
            );
            wrong.add(told);
        }
        if self.query_count() < 1 {
            wrong.add("it has no queries".to_owned());
        }
        if said
            .input_format
            .as_ref()
            .is_some_and(|format| format != "RGB")
        {
            let told = "input_format is not RGB, which is the only one there is".to_owned();
            wrong.add(told);
        }
        if input.shortest_edge < 1 || input.max_size < 1 {
            wrong.add("resize_shortest_edge or max_size is 0".to_owned());
        }
        if input.deviation.contains(&0.0) {
            wrong.add("pixel_std holds a 0".to_owned());
        }
    }
}
