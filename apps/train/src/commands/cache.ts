/** `franca-train cache`: which features and which progress of interrupted evaluations are kept on disk, and how they are removed. */
import { rm } from 'node:fs/promises';
import { cacheRoom, type DescribedSeries, listFeatures, removeFeatures } from '@franca/evals/node';
import type { Command } from 'commander';
import { examples } from '../command-line';
import { findProgress } from '../eval/progress-file';
import { bytesOfAll, listText, removalText, seriesCalled } from '../features/cache-list';
import { type CacheOptions, cacheFolder, chosenLimit, withCacheFolder } from '../features/cache-options';
import { amountOfBytes } from '../text/amounts';
import { ask } from '../text/ask';

interface RemoveOptions extends CacheOptions {
  readonly yes?: true;
}

/** Adds the command, which lists, and below it those that remove. */
export function register(program: Command): void {
  const group = withCacheFolder(program.command('cache'))
    .description('show which features are kept on disk, and remove them')
    .addHelpText(
      'after',
      examples([
        ['franca-train cache', 'what there is: of which data and model, which outputs, bytes, last used'],
        ['franca-train cache remove imagenette', 'all features of a data set'],
        ['franca-train cache remove 3f2a91c0 --yes', 'some outputs of it, without a question'],
        ['franca-train cache clear', 'everything'],
      ]),
    )
    .action(async (options: CacheOptions) => {
      for (const line of await contents(options)) console.log(line);
    });
  withRemoval(group.command('remove <what...>'))
    .description('remove features: an id, a model, a data set or one of its parts, as the list calls them')
    .action((what: readonly string[], _: RemoveOptions, command: Command) =>
      remove(command.optsWithGlobals(), (all) => seriesCalled(all, what)),
    );
  withRemoval(group.command('clear'))
    .description('remove all features, and the progress of interrupted evaluations')
    .action((_: RemoveOptions, command: Command) => remove(command.optsWithGlobals()));
}

type Progress = Awaited<ReturnType<typeof findProgress>>;

const bytesOf = (progress: Progress): number => progress.reduce((sum, { bytes }) => sum + bytes, 0);

const withRemoval = (command: Command): Command =>
  withCacheFolder(command).option('-y, --yes', 'remove without a question');

async function contents(options: CacheOptions): Promise<string[]> {
  const folder = cacheFolder(options);
  const limit = chosenLimit(options);
  const all = await listFeatures(folder);
  const { bound } = await cacheRoom(folder, limit);
  const why = limit === undefined ? ', half of what the disk has for them' : '';
  const progress = await findProgress(folder);
  const kept = amountOfBytes(bytesOf(progress));
  const interrupted =
    progress.length > 0
      ? [`interrupted evaluations, which go on when their command is given again: ${progress.length}, ${kept}`]
      : [];
  return [
    ...listText(all),
    ...interrupted,
    `${folder}: ${amountOfBytes(bytesOfAll(all))} of at most ${amountOfBytes(bound)}${why}`,
  ];
}

/** Removes the features that are chosen, or everything. */
async function remove(
  options: RemoveOptions,
  choose?: (all: readonly DescribedSeries[]) => readonly DescribedSeries[],
): Promise<void> {
  const folder = cacheFolder(options);
  const all = await listFeatures(folder);
  const chosen = choose ? choose(all) : all;
  const busy = chosen.filter(({ inUse }) => inUse);
  const free = chosen.filter(({ inUse }) => !inUse);
  if (busy.length > 0)
    for (const line of ['a running process uses, so these stay:', ...removalText(busy)]) console.log(line);
  // a running evaluation may be about to save its own
  const progress = choose || busy.length > 0 ? [] : await findProgress(folder);
  if (free.length + progress.length === 0) {
    console.log(`nothing to remove in ${folder}`);
    return;
  }
  for (const line of removalText(free)) console.log(line);
  if (progress.length > 0) console.log(`  progress of ${progress.length} interrupted evaluations`);
  const question = `remove these features, ${amountOfBytes(bytesOfAll(free) + bytesOf(progress))}?`;
  if (!options.yes && !(await ask(question, '--yes'))) return;
  let bytes = bytesOf(progress);
  for (const { path } of progress) await rm(path, { force: true });
  for (const { id } of free) bytes += await removeFeatures(folder, id);
  console.log(`removed ${amountOfBytes(bytes)} from ${folder}`);
}
