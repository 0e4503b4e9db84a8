/** The options by which every command takes a configuration. */
import type { Command } from 'commander';
import { loadConfig, type ResolvedConfig } from '../config/load';

export interface ConfigOptions {
  readonly config?: readonly string[];
}

/** Adds `--config` and the overrides to a command. Its action gets `(overrides, options)`. */
export const withConfig = (command: Command): Command =>
  command
    .argument('[overrides...]', 'settings as section.key=value, e.g. optim.base_lr=1e-3')
    .option(
      '-c, --config <file or preset>',
      'a configuration file or preset; may be given several times, later ones win (official YAML files load unchanged)',
      (value: string, earlier: readonly string[] = []) => [...earlier, value],
    );

/** The configuration that the options name. @throws TrainError */
export const configFrom = (options: ConfigOptions, overrides: readonly string[]): ResolvedConfig =>
  loadConfig(options.config ?? [], overrides);
