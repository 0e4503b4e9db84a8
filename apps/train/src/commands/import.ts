/** `franca-train import`: a checkpoint as safetensors, the backbone and each head in a file of its own. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import type { ModelOptions } from '../features/config-of-file';
import { withModelOptions } from '../features/model-options';

interface Options extends ModelOptions {
  readonly out: string;
  readonly network?: string;
}

/** Adds the command. */
export function register(program: Command): void {
  withModelOptions(program.command('import'))
    .description('convert a checkpoint (.pth, .tar.gz parts, safetensors) to safetensors')
    .argument(
      '<file...>',
      'checkpoint, hf://owner/name or a published name; several files are the parts of one archive',
    )
    .requiredOption(
      '-o, --out <folder>',
      'folder for backbone.safetensors, its config.json, dino_head.safetensors, ...',
    )
    .addHelpText(
      'after',
      examples([
        ['franca-train import franca_vitb14_In21K.pth --out vitb14', 'a released checkpoint'],
        ['franca-train import hf://facebook/dinov2-small --out dinov2', 'a model of the hub'],
        ['franca-train import franca_vitg14.tar.gz.part_* --out vitg14', 'an archive in parts'],
        ['franca-train import model.rank_0.pth --network student --out s', 'the student of a training checkpoint'],
        ['franca-train import deit.pth --network model_ema --out ema', 'averaged weights in place of the plain ones'],
      ]),
    )
    .action(async (files: string[], { out, ...options }: Options) => {
      const { importCheckpoint } = await import('../import/import-checkpoint');
      for (const line of await importCheckpoint(files, out, options)) console.log(line);
    });
}
