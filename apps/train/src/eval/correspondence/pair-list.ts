/**
 * Lists of pairs as text, so that a draw can be repeated and exchanged: `d=0 <name>` or `all <name>` in a line puts a pair into one figure, a name alone
 * into `all` and that of its own change of viewpoint.
 */
import { createHash } from 'node:crypto';
import { PAIR_BINS, type PairBin } from '@franca/evals';
import { TrainError } from '../../errors';
import type { SetPair } from '../../image-sets/pair-set';

export const writePairList = (bins: readonly PairBin[], pairs: readonly SetPair[]): string =>
  bins.flatMap(({ name, pairs: own }) => own.map((index) => `${name} ${pairs[index]!.name}\n`)).join('');

/** Hash of a list as it is written: which pairs, in which figures. */
export const hashPairList = (bins: readonly PairBin[], pairs: readonly SetPair[]): string =>
  createHash('sha256').update(writePairList(bins, pairs)).digest('hex');

/**
 * @param text lines, of which empty ones and those that begin with `#` are passed over
 * @throws TrainError `data` for a name that is no pair, one that comes twice, and a pair of another viewpoint than its line says
 */
export function readPairList(text: string, file: string, pairs: readonly SetPair[]): PairBin[] {
  const placeOf = new Map(pairs.map(({ name }, index) => [name, index]));
  const chosen = new Map(PAIR_BINS.map((bin) => [bin, new Set<number>()]));
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const refuse = (why: string) => new TrainError('data', `${file}, line ${at + 1}: ${why}`);
    const [bin, name] = splitLine(line.trim());
    const index = placeOf.get(name);
    if (index === undefined) throw refuse(`there is no pair ${name}`);
    const own = `d=${pairs[index]!.viewpoint}`;
    if (bin !== undefined && bin !== 'all' && bin !== own)
      throw refuse(`${name} is no pair of ${bin}${chosen.has(own) ? `, but of ${own}` : ''}`);
    for (const each of bin === undefined ? [own, 'all'] : [bin]) {
      const list = chosen.get(each);
      if (list?.has(index)) throw refuse(`${name} comes a second time`);
      list?.add(index);
    }
  }
  const bins = [...chosen].map(([name, list]) => ({ name, pairs: [...list] })).filter((bin) => bin.pairs.length > 0);
  if (bins.length === 0) throw new TrainError('data', `${file} names no pair`);
  return bins;
}

function splitLine(line: string): [bin: string | undefined, name: string] {
  const bin = PAIR_BINS.find((each) => line.startsWith(`${each} `));
  return bin === undefined ? [undefined, line] : [bin, line.slice(bin.length + 1).trim()];
}
