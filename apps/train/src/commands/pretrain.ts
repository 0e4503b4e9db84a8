/** `franca-train pretrain`: trains a model from scratch, or continues a run. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import { positiveInteger } from '../options/option-values';
import { type TrainCommandOptions, withTrainOptions } from '../options/train-options';

const CONTINUING = `
--resume keeps the run what it is. It takes other settings for what no number depends on (franca.checkpoint.*, franca.log.*,
franca.knn.interval, franca.data.max_bad_share, evaluation.eval_period_iterations, train.num_workers, franca.augment.device)
and the same pictures in another place (--data); everything else is refused, with the command that forks the run.
--fork takes weights, optimiser and schedules on from the step of the checkpoint and says what changes: pictures or a seed that
are others start a new order, a larger crop resamples positions, a changed length or batch moves the learning rate.

Several GPUs, of one machine or of many: start it by mpirun or srun. franca.gpus says for how many the configuration is written
(default: as many as there are ranks when the run begins); it goes on with the same pictures on any number that divides the batch.`;

/** Adds the command. */
export function register(program: Command): void {
  withTrainOptions(program.command('pretrain'))
    .description('train a model on images, without labels')
    .option(
      '--fork <run>',
      'go on from a checkpoint of this run in a new folder, with other settings or data; the run itself is never changed',
    )
    .option(
      '--from <weights>',
      'start from these weights, whose architecture the run takes: an official, timm or own file, a run, an import (default preset: continue)',
    )
    .option('--at <step>', 'the checkpoint to fork from (default: the newest)', positiveInteger)
    .addHelpText('after', CONTINUING)
    .addHelpText(
      'after',
      examples([
        ['franca-train pretrain', 'a first run: no argument needed'],
        ['franca-train pretrain --data photos/ --out runs/photos', 'on a folder of your own'],
        [
          'franca-train pretrain --from dinov2_vits14.pth --data photos/ --out runs/photos',
          'continue from published weights on a folder of your own',
        ],
        ['franca-train pretrain -c gpu-base --data hf://owner/images', 'another preset, data from the hub'],
        ['franca-train pretrain -c vitb14.yaml optim.epochs=50', 'an official configuration with a change'],
        ['franca-train pretrain --resume --out runs/photos', 'continue where it stopped, bit for bit'],
        [
          'franca-train pretrain --fork runs/photos --out runs/longer optim.epochs=100',
          'go on in a new folder with other settings',
        ],
        [
          'franca-train pretrain -c gpu-small --out runs/small franca.distillation.teacher=runs/large',
          'a small model from a larger one, which stays frozen',
        ],
        ['mpirun -n 4 franca-train pretrain --data photos/ --out runs/photos', 'on four GPUs, installed with -g'],
      ]),
    )
    .action(async (overrides: string[], options: TrainCommandOptions) => {
      const { startRun } = await import('../run/start-run');
      await startRun(overrides, options, {
        defaultConfig: (gpu, isEasyWorld) => {
          if (options.from !== undefined) return 'continue';
          if (gpu.target.family !== 'cpu') return 'gpu-small';
          return isEasyWorld ? 'cpu-world' : 'cpu-tiny';
        },
      });
    });
}
