/** `franca-train highres`: adapts a trained backbone to larger images, positions resampled, heads fresh. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import { type TrainCommandOptions, withTrainOptions } from '../options/train-options';

/** Adds the command. */
export function register(program: Command): void {
  withTrainOptions(program.command('highres'))
    .description('continue training a backbone at a higher resolution')
    .requiredOption('--from <weights>', "the backbone: a run's teacher.safetensors, or an official .pth")
    .addHelpText(
      'after',
      examples([
        [
          'franca-train highres --from runs/photos/teacher.safetensors -c official-highres-vitb14',
          '518 px, the official schedule',
        ],
        [
          'franca-train highres --from teacher.safetensors -c cpu-tiny crops.global_crops_size=96',
          'a small model at another size',
        ],
      ]),
    )
    .action(async (overrides: string[], options: TrainCommandOptions) => {
      const { startRun } = await import('../run/start-run');
      await startRun(overrides, options, { defaultConfig: () => 'official-highres-vitb14' });
    });
}
