/** `franca-train pretrain`: trains a model from scratch, or continues a run. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import { type TrainCommandOptions, withTrainOptions } from '../options/train-options';

/** Adds the command. */
export function register(program: Command): void {
  withTrainOptions(program.command('pretrain'))
    .description('train a model on images, without labels')
    .addHelpText(
      'after',
      examples([
        ['franca-train pretrain', 'a first run: no argument needed'],
        ['franca-train pretrain --data photos/ --out runs/photos', 'on a folder of your own'],
        ['franca-train pretrain -c gpu-base --data hf://owner/images', 'another preset, data from the hub'],
        ['franca-train pretrain -c vitb14.yaml optim.epochs=50', 'an official configuration with a change'],
        ['franca-train pretrain --resume --out runs/photos', 'continue where it stopped, bit for bit'],
      ]),
    )
    .action(async (overrides: string[], options: TrainCommandOptions) => {
      const { startRun } = await import('../run/start-run');
      await startRun(overrides, options, {
        defaultConfig: (gpu) => (gpu.target.family === 'cpu' ? 'cpu-tiny' : 'gpu-small'),
        resample: false,
      });
    });
}
