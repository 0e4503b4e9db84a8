/** An estimate as people read it: two digits, and what it leaves open. */
import type { CacheRoom } from '@franca/evals/node';
import { aboutDuration, amountOfBytes } from '../../text/amounts';
import type { ReadingEstimate, TaskEstimate } from './estimate';

export interface EstimateFrame {
  /** The adapter. */
  readonly device: string;
  /** Whether what is on the device is in the memory of this process. */
  readonly sharesMemory: boolean;
  /** Where features are kept, and what there is room for. */
  readonly cache: string;
  readonly room: CacheRoom;
  /** What starts it. */
  readonly command: string;
}

/** One evaluation. */
export function taskLines({ task, reads, work, time, unknown }: TaskEstimate): string[] {
  const rows = [
    ['', 'images', 'in the cache', 'to compute', 'time'],
    ...reads.map(readingRow),
    ...work.map(({ name, time: own }) => [name, '', '', '', aboutDuration(own.seconds)]),
    ['in all', '', '', '', aboutDuration(time.seconds)],
  ];
  return [`${task}:`, ...columns(rows).map((line) => `  ${line}`), ...unknown.map((what) => `  not known: ${what}`)];
}

const readingRow = ({ dataset, split, images, inCache, computed, time }: ReadingEstimate): string[] => [
  `features of ${dataset} ${split}`,
  ...[images, inCache, computed].map(count),
  aboutDuration(time.seconds),
];

const count = (value: number): string => value.toLocaleString('en');

/** Texts to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
}

/** What is said of all of them together. */
export function closingLines(all: readonly TaskEstimate[], frame: EstimateFrame): string[] {
  const { device, sharesMemory, cache, room, command } = frame;
  const seconds = all.reduce((sum, { time }) => sum + time.seconds, 0);
  const memory = Math.max(...all.map((one) => one.memory));
  const onDevice = Math.max(...all.map((one) => one.device));
  const bytes = neededBytes(all);
  return [
    ...(all.length > 1 ? [`all of them: ${aboutDuration(seconds)}`] : []),
    `memory: about ${amountOfBytes(memory)}${sharesMemory ? ', with the device, which is this processor' : `, and ${amountOfBytes(onDevice)} on the device beside the model`}`,
    `disk: ${amountOfBytes(bytes)} more in ${cache}, which holds ${amountOfBytes(room.held)} of at most ${amountOfBytes(room.bound)}; ${amountOfBytes(room.free)} are free`,
    ...(bytes > Math.min(room.bound, room.free + room.held)
      ? ['there is not enough room: allow more by --cache-limit, name another folder by --cache, or take fewer images']
      : []),
    `as measured just now on ${device}; other work on this machine, pictures of other sizes, kernels that compile first and features that are read back from disk add to it`,
    `to start it: ${command}`,
  ];
}

/** On disk, of all evaluations. */
export const neededBytes = (all: readonly TaskEstimate[]): number =>
  all.flatMap(({ reads }) => reads).reduce((sum, { bytes }) => sum + bytes, 0);
