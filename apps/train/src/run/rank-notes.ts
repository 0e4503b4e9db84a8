/** What is to be said of the ranks when a run begins. */
import type { Communicator } from '@franca/collective';
import type { DerivedOptions } from '../config/derived-options';
import type { Continuation } from './continuation';

/** Ranks that computed the steps so far. */
export const ranksBefore = ({ saved }: Pick<Continuation, 'saved'>): number => saved.made?.ranks ?? 1;

/** `4 ranks: 2 on node1, 2 on node2`. */
export function placesOf({ size, members }: Pick<Communicator, 'size' | 'members'>): string {
  const hosts = new Map<string, number>();
  for (const { host } of members) hosts.set(host, (hosts.get(host) ?? 0) + 1);
  return `${counted(size)}: ${[...hosts].map(([host, count]) => `${count} on ${host}`).join(', ')}`;
}

/** Where there are fewer or more than the configuration is written for, and other ones than before: the same numbers come only from as many. */
export function rankNotes(
  { ranks: { size }, gpus, batch }: Pick<DerivedOptions, 'ranks' | 'gpus' | 'batch'>,
  origin: Pick<Continuation, 'saved'> | undefined,
): string[] {
  const before = origin ? ranksBefore(origin) : size;
  return [
    ...(size === gpus
      ? []
      : [
          `${counted(size)}: ${batch.perDevice} images each of the ${gpus} x ${batch.group} that the run is written for (franca.gpus x train.batch_size_per_gpu)`,
        ]),
    ...(size === before
      ? []
      : [`the steps so far were computed on ${counted(before)}: on ${size} the run goes on, but not bit for bit`]),
  ];
}

const counted = (size: number): string => (size === 1 ? '1 rank' : `${size} ranks`);
