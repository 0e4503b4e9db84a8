/** The options of the commands that train. */
import { type Command, Option } from 'commander';
import { type ConfigOptions, withConfig } from './config-options';
import { positiveInteger } from './option-values';

export interface TrainCommandOptions extends ConfigOptions {
  readonly data?: string;
  readonly out?: string;
  readonly resume?: 'always' | 'auto';
  readonly adapter?: string;
  readonly stopAfter?: number;
  readonly profile?: true;
  /** Run to fork from, and the step to leave it at. */
  readonly fork?: string;
  readonly at?: number;
  /** Backbone to start from. */
  readonly from?: string;
}

/** Adds the options of a run to a command. */
export const withTrainOptions = (command: Command): Command =>
  withConfig(command)
    .option(
      '-d, --data <what>',
      'a folder of images, tar or parquet shards, hf://owner/name, ... (default: FRANCA_DATA, else flower photographs, else a generated world)',
    )
    .option('-o, --out <folder>', 'the run folder (default: runs/<time>)')
    .addOption(
      new Option(
        '--resume [auto]',
        'continue the run in --out; auto: start it if there is nothing to continue',
      ).choices(['auto', 'always']),
    )
    .option(
      '--adapter <name>',
      "auto, gpu, gpu:1 (the second), software, or part of an adapter's name (default: FRANCA_ADAPTER, else auto)",
    )
    .addOption(
      new Option('--stop-after <step>', 'stop after this step with a checkpoint, the schedules unchanged').argParser(
        positiveInteger,
      ),
    )
    .option('--profile', 'time every kind of kernel once, at the third step, and print where a step spends its time');
