/** `franca-train config`: the resolved configuration, where each value comes from, the presets, the reference. */
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { examples } from '../command-line';
import { derive } from '../config/derive';
import { derivedLines, explainedLines } from '../config/explain';
import { settingsWithoutEffect } from '../config/no-effect';
import { listPresets } from '../config/presets';
import { configReference } from '../config/reference';
import { type ConfigOptions, configFrom, withConfig } from '../options/config-options';

interface Options extends ConfigOptions {
  readonly explain?: true;
  readonly list?: true;
  readonly reference?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  withConfig(program.command('config'))
    .description('print the resolved configuration')
    .option('--explain', 'where each value comes from, and what is worked out from them')
    .option('--list', 'the presets')
    .option('--reference', 'every setting with its default and meaning, as Markdown')
    .addHelpText(
      'after',
      examples([
        ['franca-train config --list', 'the presets'],
        ['franca-train config -c gpu-small > mine.yaml', 'a complete file to start from'],
        ['franca-train config optim.epochs=50 -c mine.yaml --explain', 'what a run would use, and why'],
      ]),
    )
    .action((overrides: string[], options: Options) => {
      console.log(output(overrides, options));
    });
}

function output(overrides: readonly string[], options: Options): string {
  if (options.list) return presetList();
  if (options.reference) return configReference();
  const resolved = configFrom(options, overrides);
  if (!options.explain) return stringify(resolved.config).trimEnd();
  const vain = settingsWithoutEffect(resolved);
  return [...explainedLines(resolved), '', ...derivedLines(derive(resolved.config)), ...vain].join('\n');
}

function presetList(): string {
  const presets = listPresets();
  const width = Math.max(...presets.map(({ name }) => name.length));
  return presets.map(({ name, facts }) => `${name.padEnd(width)}  ${facts.what}`).join('\n');
}
