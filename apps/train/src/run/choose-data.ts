/**
 * The data of a run: what the user names, else flower photographs, else a generated world. The photographs are fetched once, the world needs no network: a first
 * run needs no argument, and later evaluations can run anywhere.
 */
import type { Communicator } from '@franca/collective';
import { DataError, type DataSplits, openSplits } from '@franca/data';
import type { DerivedOptions } from '../config/derived-options';
import { hasLabels } from '../observe/held-out-images';
import { fromFirst } from '../ranks/exchange';
import { onFirst, together } from '../ranks/together';
import { amountOfBytes } from '../text/amounts';
import { indexProgress } from '../text/index-progress';

export interface DataChoice {
  /** The text that opens the same data again. */
  readonly spec: string;
  readonly splits: DataSplits;
  /** What was opened and why, to be shown. */
  readonly notes: readonly string[];
}

const FLOWERS = 'flowers';

/** Without a network a look-up of the name may go on for half a minute. */
const ANSWER_MS = 5000;

/** A few thousand small scenes: enough to learn from, rendered faster than a processor trains. */
const WORLD = 'world:easy:length=4000:size=96';

/** Opens `spec`, or the default. Throws what `openSplits` throws for data that was asked for by name. */
export async function chooseData(
  spec: string | undefined,
  heldOutShare: number,
  seed: number,
  say: (text: string) => void,
): Promise<DataChoice> {
  const options = { heldOut: { share: heldOutShare, seed }, test: false, onIndexing: indexProgress(say) };
  if (spec) return describe(spec, await openSplits(spec, options), []);
  try {
    const http = { answerMs: ANSWER_MS };
    return describe(FLOWERS, await openSplits(FLOWERS, { ...options, http, onProgress: showDownload(say) }), []);
  } catch (error) {
    const why = whyNoPhotographs(error);
    if (!why) throw error;
    return describe(WORLD, await openSplits(WORLD, options), [
      `no --data, and ${why}: training on a generated world of textured objects`,
    ]);
  }
}

/** The same on all ranks: rank 0 chooses (and fetches what there is to fetch), and the others open what it chose. */
export async function chooseSharedData(
  ranks: Communicator,
  spec: string | undefined,
  { seed, loop: { heldOutShare } }: Pick<DerivedOptions, 'seed' | 'loop'>,
  say: (text: string) => void,
): Promise<DataChoice> {
  const first = await onFirst(ranks, () => chooseData(spec, heldOutShare, seed, say));
  const chosen = await fromFirst(ranks, first?.spec);
  return together(ranks, () => first ?? chooseData(chosen, heldOutShare, seed, say));
}

function describe(spec: string, splits: DataSplits, before: readonly string[]): DataChoice {
  const { train, val, origin, notes } = splits;
  const classes = train.classes ? `, ${train.classes.length} classes` : ', no labels';
  return {
    spec,
    splits,
    notes: [
      ...before,
      `data: ${train.name}: ${train.length} images to train on, ${val.length} held out (${origin})${classes}`,
      ...(train.attribution ? [train.attribution] : []),
      ...notes,
      ...(hasLabels(train) && hasLabels(val)
        ? []
        : ['no k-NN accuracy while training: it needs classes that both parts have']),
    ],
  };
}

/** Why the photographs cannot be had, where that is no reason to stop: nobody asked for them. */
function whyNoPhotographs(error: unknown): string | undefined {
  if (!(error instanceof DataError)) return undefined;
  const { code, message, cause } = error;
  if (code === 'no-network')
    return `the flower photographs cannot be reached (${message.split(': ').pop()}; behind a proxy set HTTPS_PROXY)`;
  if (code === 'http-status') return `no flower photographs (${message})`;
  if (code === 'disk-full') return `no room for the flower photographs (${message})`;
  const refusal = code === 'file-system' ? (cause as NodeJS.ErrnoException).code : undefined;
  if (refusal === 'EACCES' || refusal === 'EROFS' || refusal === 'EPERM')
    return `no place for the flower photographs (${message}; XDG_CACHE_HOME names another)`;
  return undefined;
}

/** One line per tenth of the download. */
function showDownload(say: (text: string) => void): (done: number, total: number) => void {
  let shown = -1;
  return (done, total) => {
    const tenth = Math.floor((10 * done) / total);
    if (tenth > shown) say(`fetching flower photographs: ${amountOfBytes(done)} of ${amountOfBytes(total)}`);
    shown = Math.max(shown, tenth);
  };
}
