/** `franca-train data`: what a text means as a data set, what is in it, and what evaluates it. */
import { writeFileAtomic } from '@franca/checkpoint';
import type { Command } from 'commander';
import { examples } from '../command-line';
import { checkOutputFile } from '../options/outputs';
import { showsColour } from '../survey/half-blocks';
import { survey } from '../survey/survey';
import { surveyLines, surveyPage } from '../survey/survey-text';

/** Adds the command. */
export function register(program: Command): void {
  program
    .command('data')
    .description('say what a data set is taken for: parts, classes, counts, some pictures, what evaluates it')
    .argument('<data>', 'what --data would be given: a folder, shards, hf://owner/name, flowers, world, ...')
    .option('--html <file>', 'write it as a page with the pictures')
    .option(
      '--index-beside',
      'keep the index of each tar shard beside it, for all who use the shards (default: in the cache folder)',
    )
    .addHelpText(
      'after',
      examples([
        ['franca-train data food-101', 'a published data set: its parts against the published counts'],
        ['franca-train data datasets', 'what lies below a folder'],
        ['franca-train data LAION:root=laion --index-beside', 'read through all shards once, for all machines'],
        ['franca-train data world --html world.html', 'as a page'],
      ]),
    )
    .action(async (spec: string, { html, indexBeside }: { readonly html?: string; readonly indexBeside?: boolean }) => {
      if (html) await checkOutputFile(html, [spec]);
      const found = await survey(spec, { indexBeside });
      for (const line of surveyLines(found, showsColour())) console.log(line);
      if (!html) return;
      await writeFileAtomic(html, (sink) => sink(Buffer.from(surveyPage(found))));
      console.log(`wrote ${html}`);
    });
}
