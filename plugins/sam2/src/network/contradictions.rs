//! Where a config file and the tensors say different things.

use som_torch::checkpoint::Contradictions;

use super::{config::Config, told::Told};

/// Where a config file and the tensors, or the file and what this design has always, differ.
pub(super) fn contradictions(config: &Config) -> Contradictions {
    let Config {
        hiera,
        neck,
        prompts,
        decoder,
        memory,
        told,
        ..
    } = config;
    let shapes = &hiera.shapes;
    let coarse_first: Vec<i64> = hiera.channels().into_iter().rev().collect();
    let mut wrong = Contradictions::default();
    let numbers = [
        ("embed_dim", told.embed_dim, shapes.width),
        ("hidden_dim", told.hidden_dim, neck.channels),
        ("mem_dim", told.mem_dim, memory.channels),
        ("num_maskmem", told.num_maskmem, memory.frames),
        (
            "memory_attention_layers",
            told.memory_attention_layers,
            memory.layers,
        ),
        (
            "memory_attention_dim_feedforward",
            told.memory_attention_dim_feedforward,
            memory.hidden,
        ),
        ("fuser_layers", told.fuser_layers, memory.fusers),
        ("mask_in_chans", told.mask_in_chans, prompts.mask_channels),
        ("decoder_depth", told.decoder_depth, decoder.layers),
        ("decoder_mlp_dim", told.decoder_mlp_dim, decoder.hidden),
        (
            "num_multimask_outputs",
            told.num_multimask_outputs,
            decoder.masks - 1,
        ),
    ];
    for (key, said, found) in numbers {
        wrong.compare(key, said.as_ref(), &found);
    }
    wrong.compare("stages", told.stages.as_ref(), &shapes.stages());
    wrong.compare(
        "window_pos_embed_bkg_spatial_size",
        told.window_pos_embed_bkg_spatial_size.as_ref(),
        &shapes.background,
    );
    wrong.compare(
        "backbone_channel_list",
        told.backbone_channel_list.as_ref(),
        &coarse_first,
    );
    unlike_all(told, &mut wrong);
    wrong
}

/// What the file says otherwise than in any network that this segmenter runs.
fn unlike_all(told: &Told, wrong: &mut Contradictions) {
    let mut only = |key: &str, said: Option<String>, always: &str| {
        if let Some(said) = said.filter(|said| said != always) {
            wrong.add(format!("{key} is {said}, and has to be {always}"));
        }
    };
    let text = |said: Option<i64>| said.map(|it| it.to_string());
    let flag = |said: Option<bool>| said.map(|it| it.to_string());
    only("fpn_interp_model", told.fpn_interp_model.clone(), "nearest");
    only("scalp", text(told.scalp), "1");
    only("backbone_stride", text(told.backbone_stride), "16");
    let flags = [
        (
            "directly_add_no_mem_embed",
            told.directly_add_no_mem_embed,
            "true",
        ),
        (
            "use_mask_input_as_output_without_sam",
            told.use_mask_input_as_output_without_sam,
            "true",
        ),
        (
            "multimask_output_in_sam",
            told.multimask_output_in_sam,
            "true",
        ),
        ("fixed_no_obj_ptr", told.fixed_no_obj_ptr, "true"),
        ("soft_no_obj_ptr", told.soft_no_obj_ptr, "false"),
    ];
    for (key, said, always) in flags {
        only(key, flag(said), always);
    }
}
