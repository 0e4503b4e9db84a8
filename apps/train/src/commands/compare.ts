/** `franca-train compare`: the results of several models side by side, and which differences are more than chance. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import { writeComparisonCsv, writeComparisonJson } from '../compare/compare-files';
import { writeComparisonPage } from '../compare/compare-page';
import { comparisonText } from '../compare/compare-text';
import { compareModels } from '../compare/comparison';
import { modelsOf } from '../compare/models';
import { readRecords } from '../compare/read-records';
import { TrainError } from '../errors';
import { checkOutputFile } from '../options/outputs';

interface Options {
  readonly name?: readonly string[];
  readonly against?: string;
  readonly html?: string;
  readonly json?: string;
  readonly csv?: string;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command('compare')
    .description('several models in one table and one page, compared image by image')
    .argument('<records...>', 'files that eval --json wrote; results of one model may lie in several')
    .option(
      '--name <names>',
      'of the models in the order of the columns, comma-separated (default: as records say)',
      namesOf,
    )
    .option('--against <name>', 'the model that the others are compared with (default: the first)')
    .option('--html <file>', 'write a page: tables as in the paper, charts, all differences')
    .option('--json <file>', 'write values and differences')
    .option('--csv <file>', 'the same as a table')
    .addHelpText(
      'after',
      examples([
        ['franca-train compare a/evals.json b/evals.json --html compare.html', 'two models'],
        ['franca-train compare knn.json linear.json evals.json --against DeiT', 'results from several files'],
      ]),
    )
    .action(run);
}

async function run(paths: readonly string[], { name, against, ...outputs }: Options): Promise<void> {
  const { html, json, csv } = outputs;
  for (const path of [html, json, csv]) if (path) await checkOutputFile(path, paths);
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) throw new TrainError('usage', `${twice} is given twice; name each file once`);
  const files = [];
  for (const path of paths) files.push(await readRecords(path));
  const comparison = compareModels(modelsOf(files, name), against);
  console.log(comparisonText(comparison, process.stdout.columns || undefined));
  if (html) await writeComparisonPage(html, comparison);
  if (json) await writeComparisonJson(json, comparison);
  if (csv) await writeComparisonCsv(csv, comparison);
  for (const path of [html, json, csv]) if (path) console.log(`wrote ${path}`);
}

const namesOf = (text: string): string[] => text.split(',').map((name) => name.trim());
