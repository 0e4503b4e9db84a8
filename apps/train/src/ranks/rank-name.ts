/** How a rank is called in messages. */
import type { Communicator } from '@franca/collective';

/** `rank 3 of 8, node7`. */
export const rankName = ({ size, members }: Pick<Communicator, 'size' | 'members'>, rank: number): string =>
  `rank ${rank} of ${size}, ${members[rank]!.host}`;
