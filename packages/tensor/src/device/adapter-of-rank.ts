/**
 * Which GPU each of several processes on one computer takes. Where a scheduler lets each see one card, there is nothing to choose. Where each sees all,
 * the process with `r` others before it takes card `r mod n` of the `n` that it may use: all, or those that CUDA_VISIBLE_DEVICES names, which says nothing to
 * Vulkan but is how a scheduler without device constraints says what a process may use.
 */
import { TensorError } from '../base/errors';

/**
 * The adapter to open: `gpu:N`, or `auto` where there are not several GPUs.
 * @param localRank processes of the same job before this one on this computer
 * @param gpus what `listGpus` gives
 * @param visible CUDA_VISIBLE_DEVICES: numbers with commas between; numbers beyond the list mean that only own cards are listed
 * @throws TensorError argument for what is no rank; adapter where `visible` names cards otherwise
 */
export function adapterOfRank(
  localRank: number,
  gpus: readonly string[],
  visible: string | undefined = process.env.CUDA_VISIBLE_DEVICES,
): string {
  if (!(Number.isInteger(localRank) && localRank >= 0))
    throw new TensorError(
      'argument',
      `adapterOfRank: localRank is ${String(localRank)}; ranks of a computer count from 0`,
    );
  if (!Array.isArray(gpus)) throw new TensorError('argument', 'adapterOfRank: gpus is no list; await listGpus()');
  const count = gpus.length;
  if (count < 2) return 'auto';
  const named = numbersOf(visible);
  const own = named.length > 0 && named.every((card) => card < count) ? named : [...Array(count).keys()];
  return `gpu:${own[localRank % own.length]}`;
}

function numbersOf(visible = ''): number[] {
  const entries = visible.split(',').filter((entry) => entry.trim() !== '');
  const odd = entries.find((entry) => !/^\s*\d+\s*$/.test(entry));
  if (odd === undefined) return entries.map(Number);
  throw new TensorError(
    'adapter',
    `CUDA_VISIBLE_DEVICES=${visible} names ${odd}, which Vulkan cannot be asked for; give numbers, or name the adapter of each process (FRANCA_ADAPTER=gpu:0 ...)`,
  );
}

/** What a process computes on. */
export interface CardOfRank {
  readonly rank: number;
  readonly host: string;
  /** What was asked for: `gpu:1`, `auto`, a name. */
  readonly adapter: string;
  /** The name of the device that answered. */
  readonly name: string;
  /** GPUs that are listed for this process. */
  readonly gpus: number;
}

/** What is to say where processes of one computer share a card while another one, listed too, does nothing; empty where all is well. */
export function crowdedCards(ranks: readonly CardOfRank[]): string[] {
  const hosts = grouped(ranks, ({ host }) => host);
  return [...hosts].flatMap(([host, members]) => {
    const cards = grouped(members, ({ name, adapter }) => `${name}:${numberOf(adapter)}`);
    const listed = Math.max(...members.map(({ gpus }) => gpus));
    if (cards.size >= listed) return [];
    const crowded = [...cards.values()].filter((sharing) => sharing.length > 1);
    return crowded.map(
      (sharing) =>
        `ranks ${sharing.map(({ rank }) => rank).join(', ')} of ${host} compute on one ${sharing[0]!.name}, though ${listed} GPUs are listed there; ` +
        'leave the adapter to the program, or name one for each (FRANCA_ADAPTER=gpu:0, gpu:1 ...)',
    );
  });
}

/** Without a number the first is opened. */
const numberOf = (adapter: string): number => Number(/:(\d+)$/.exec(adapter)?.[1] ?? 0);

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
