//! `completions` and `man`: texts the binary makes of itself.

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::output::Output;
use anyhow::Context;
use clap::CommandFactory;

pub(crate) fn completions(args: &CompletionsArgs, output: &mut Output) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "vitalcast", &mut script);
    output.bytes(&script)
}

pub(crate) fn man(args: &ManArgs, output: &mut Output) -> anyhow::Result<()> {
    match &args.output {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("creating {}", folder.display()))?;
            clap_mangen::generate_to(Cli::command(), folder)
                .with_context(|| format!("writing manual pages to {}", folder.display()))?;
            output.note(format_args!(
                "Manual pages written to {}.",
                folder.display()
            ));
            Ok(())
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            output.bytes(&page)
        }
    }
}
