/** Semantic correspondence (SPair-71k, paper Table 6): are the key points of a thing found on another of its kind by features alone? */
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@franca/checkpoint';
import {
  correspondence,
  drawPairs,
  type EvalRecord,
  type MatchedPair,
  type Outcome,
  PAPER_SETTINGS,
  type PairBin,
} from '@franca/evals';
import { matchesFigure } from '@franca/viz';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TrainError } from '../../errors';
import type { PatchTokens } from '../../features/compute-shard';
import { describePreparation } from '../../image-sets/preparation';
import { integerList, positiveInteger, wholeNumber } from '../../options/option-values';
import { checkOutputFile } from '../../options/outputs';
import type { EvalContext } from '../context';
import { itemLines } from '../correspondence/item-lines';
import { matchSet, preparationAt } from '../correspondence/match-set';
import { hashPairList, readPairList, writePairList } from '../correspondence/pair-list';
import { shownPairs } from '../correspondence/shown-pairs';
import { type MatchSize, matchSizes, type SizeOptions } from '../correspondence/sizes';
import { binTable, categoryTable } from '../correspondence/tables';
import { matchTokens, type TokenOptions } from '../correspondence/tokens';
import { correspondenceCost } from '../estimate/costs/correspondence';
import { hashNames } from '../evaluated-images';
import type { PairPart } from '../part';
import type { EvalResult, EvalTask } from '../task';

interface Options extends SizeOptions, TokenOptions {
  readonly split?: string;
  /** At most so many in all; the context takes them. */
  readonly pairs?: number;
  readonly pairsPerBin?: number;
  readonly pairList?: string;
  readonly writePairList?: string;
  readonly items?: string;
}

const PAIRS_PER_BIN = 200;
const SEED = 20;

export const task: EvalTask = {
  name: 'correspondence',
  about: 'semantic correspondence: key points found on another of the kind (SPair-71k, paper Table 6)',
  reads: 'pairs',
  order: 12,
  rasa: { leftOut: 'its tokens are those before the final norm' },
  cost: correspondenceCost,
  options: (command: Command) =>
    command
      .option('--split <name>', 'part of SPair-71k: trn, val or test (default: test)')
      .option(
        '--sizes <list>',
        "sides that the pictures are matched at, in whole patches (default: the input's and twice that, 224,448)",
        integerList,
      )
      .addOption(new Option('--protocol <name>', "paper: the paper's sizes, 224,800").choices(['paper']))
      .option('--quirks', 'zeros around pictures of no whole patches, not corrected for, as in Probe3D')
      .option(
        '--pairs-per-bin <n>',
        `pairs drawn of each class and change of viewpoint, or all (default: ${PAIRS_PER_BIN})`,
        pairsPerBin,
      )
      .option('--pair-list <file>', 'the pairs to evaluate, as --write-pair-list wrote them or a name in a line')
      .option('--write-pair-list <file>', 'write which pairs were drawn')
      .addOption(
        new Option('--feature <which>', 'tokens before or after the final norm (default: before-norm)').choices([
          'before-norm',
          'after-norm',
        ]),
      )
      .option('--layer <index>', 'block of the tokens, from 0, or from the end -1, -2 ... (default: -1)', wholeNumber)
      .option('--items <file>', 'write one line of JSON for each pair and size, with every key point'),
  run,
};

async function run(context: EvalContext, options: Options): Promise<EvalResult> {
  for (const file of [options.items, options.writePairList]) if (file) await checkOutputFile(file);
  const part = await context.pairs(options.split);
  const { pairs, pictures, classes, total } = part.pairs;
  const patches = matchTokens(part.model, options);
  const sizes = matchSizes(part.model, options);
  const { bins, hyper, seeds } = await chosenPairs(part, options);
  if (options.writePairList)
    await writeFileAtomic(options.writePairList, (sink) => sink(Buffer.from(writePairList(bins, pairs))));
  const indices = [...new Set(bins.flatMap((bin) => bin.pairs))].sort((a, b) => a - b);
  const records: EvalRecord[] = [];
  const matches: { readonly size: MatchSize; readonly matched: ReadonlyMap<number, MatchedPair> }[] = [];
  for (const size of sizes) {
    const began = performance.now();
    const matched = await matchSet(part, { size, patches, indices });
    matches.push({ size, matched });
    const wallMs = (performance.now() - began) / bins.length;
    const outcomes = correspondence(matched, bins, {
      classes,
      label: size.label,
      total,
      seeds,
      quirks: size.input !== size.side,
      hyper: { ...hyper, side: size.side, feature: featureName(patches, part), settings: settingsOf(options) },
    });
    if (outcomes.length === 0)
      throw new TrainError(
        'data',
        `no pair of ${pictures.dataset} ${pictures.split} has a key point that could be matched`,
      );
    const set = { ...pictures, notes: [...pictures.notes, ...notesOn(part, patches, size)] };
    const preprocessing = describePreparation(preparationAt(size));
    records.push(
      ...context.records(
        { set, preprocessing, size: size.input },
        outcomes.map((outcome) => ({ ...outcome, wallMs, items: itemsOf(outcome, bins, matched) })),
        () => total,
      ),
    );
  }
  if (options.items)
    await writeFileAtomic(options.items, (sink) => writeLines(sink, itemLines(part.pairs, bins, matches)));
  const { size, matched } = matches.at(-1)!;
  const shown = await shownPairs(part.pairs, matched);
  return {
    records,
    section: {
      text: ABOUT,
      charts:
        shown.length > 0 ? [{ figure: matchesFigure(shown, { density: 1.5 }), caption: `at ${size.side} px` }] : [],
      tables: [binTable(records), categoryTable(records, classes)],
    },
  };
}

const ABOUT =
  'A key point of the left picture is found where the most similar patch of the right one lies, by the cosine of their tokens and nothing else. It counts within a tenth of ' +
  'the longer side of the box around the thing. d: how much the viewpoint changes, from 0 to 2; all: a draw of its own from all pairs of a class, not the mean of the others. ' +
  'PCK: the same cells measured from their centres to the key points as they were annotated. By chance: of any cell.';

/** Whether tokens and pairs are those of the paper's protocol; sizes stand in the variant. */
const settingsOf = ({
  feature = 'before-norm',
  layer,
  pairs,
  pairList,
  pairsPerBin = PAIRS_PER_BIN,
}: Options): string =>
  feature === 'before-norm' && (layer ?? pairs ?? pairList) === undefined && pairsPerBin === PAIRS_PER_BIN
    ? PAPER_SETTINGS
    : 'own';

const featureName = ({ block, norm }: PatchTokens, { model }: PairPart): string =>
  model.outputAlone ? 'the output' : `block ${block} ${norm ? 'after' : 'before'} the final norm`;

/** What is to be known of these features and this size beside the data's own notes. */
function notesOn({ model }: PairPart, patches: PatchTokens, { note }: MatchSize): string[] {
  const rasa = 'RASA is left out: these tokens are before the final norm, and it is for those after it';
  return [...(note ? [note] : []), ...(model.hasRasa && !patches.norm ? [rasa] : [])];
}

/** Which pairs are evaluated: those of a list, or a draw. */
async function chosenPairs({ pairs: { pairs } }: PairPart, { pairList, pairsPerBin = PAIRS_PER_BIN }: Options) {
  const told = (bins: readonly PairBin[]) => ({ pairListSha256: hashPairList(bins, pairs) });
  if (pairList !== undefined) {
    const text = await readFile(pairList, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new TrainError('file', `${pairList} cannot be read (${cause.code})`, { cause });
    });
    const bins = readPairList(text, pairList, pairs);
    return { bins, seeds: [], hyper: { pairsPerBin: 'listed', ...told(bins) } };
  }
  const bins = drawPairs(pairs, { perBin: pairsPerBin, seed: SEED });
  const all = drawPairs(pairs, { perBin: Number.POSITIVE_INFINITY });
  const isDraw = bins.some((bin, at) => bin.pairs.length < all[at]!.pairs.length);
  const perBin = Number.isFinite(pairsPerBin) ? pairsPerBin : 'all';
  return { bins, seeds: isDraw ? [SEED] : [], hyper: { pairsPerBin: perBin, ...told(bins) } };
}

/** The result of each pair, with the hash of the pairs' names. */
function itemsOf(
  { items, variant }: Outcome,
  bins: readonly PairBin[],
  matched: ReadonlyMap<number, MatchedPair>,
): Outcome['items'] {
  const bin = bins.find(({ name }) => name === variant.split(', ')[0]);
  const own = bin?.pairs.flatMap((index) => matched.get(index) ?? []) ?? [];
  return items && { ...items, of: hashNames(own.map(({ pair }) => pair.name)) };
}

/** A number, or all of them. */
function pairsPerBin(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError('expected a whole number of at least 1, or all');
  }
}

async function writeLines(sink: (bytes: Uint8Array) => Promise<void>, lines: Iterable<unknown>): Promise<void> {
  for (const line of lines) await sink(Buffer.from(`${JSON.stringify(line)}\n`));
}
