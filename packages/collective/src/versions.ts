/** Whether all ranks are the same program: package, protocol, and what the caller says of itself, compared before anything else is exchanged. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { version as ownVersion } from '../package.json';
import type { Member } from './communicator';
import { CollectiveError } from './errors';

/** Raised when ranks of two versions of this package would not understand each other. */
const PROTOCOL = 1;
/** What is shown of a text; all of it is compared. */
const SHOWN = 200;

export interface Introduction extends Member {
  readonly protocol: number;
  readonly package: string;
  /** The beginning of what the caller gave, and the SHA-256 of all of it. */
  readonly version: string;
  readonly hash: string;
}

export function introduce(version: string): Introduction {
  return {
    protocol: PROTOCOL,
    package: ownVersion,
    version: version.slice(0, SHOWN),
    hash: createHash('sha256').update(version).digest('hex'),
    host: hostname().slice(0, 255),
    pid: process.pid,
  };
}

/** `rank 3 (node-7, process 4711)`. */
export const rankName = (rank: number, { host, pid }: Member): string => `rank ${rank} (${host}, process ${pid})`;

/** @throws CollectiveError `version` if not all of `ranks` are the same; it names the first that differs from rank 0 */
export function checkVersions(ranks: readonly Introduction[]): void {
  const [first] = ranks;
  for (const [rank, one] of ranks.entries()) {
    const [own, other] = [differing(one, first!), differing(first!, one)];
    if (own === undefined) continue;
    throw new CollectiveError(
      'version',
      `${rankName(rank, one)} runs ${own}, ${rankName(0, first!)} runs ${other}; start the same program with the same settings on every host`,
    );
  }
}

/** What is different about `one`, or undefined. */
function differing(one: Introduction, other: Introduction): string | undefined {
  if (one.protocol !== other.protocol || one.package !== other.package) return `@franca/collective ${one.package}`;
  if (one.hash === other.hash) return undefined;
  return `${JSON.stringify(one.version)}${one.version === other.version ? ` with hash ${one.hash.slice(0, 12)}` : ''}`;
}
