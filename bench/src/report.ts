/** Results as a table: one case a line, the engine's own figures first, then every peer as a multiple of the engine's time. */
import type { PartyName } from './case';
import type { Result } from './measure';
import type { Peak } from './peak';

export interface PartyResult {
  readonly party: PartyName;
  readonly milliseconds: number;
  readonly fastest: number;
  readonly slowest: number;
  readonly processor: number;
  readonly rounds: number;
  readonly gflops?: number;
  readonly gigabytesPerSecond?: number;
  /** Of the measured arithmetic peak, or of the measured copy where a case only moves memory. */
  readonly shareOfPeak?: number;
  /** Time over the engine's time, and the same for processor time. */
  readonly ratio?: number;
  readonly processorRatio?: number;
}

export interface CaseResult {
  readonly name: string;
  readonly parties: readonly PartyResult[];
  readonly disagreements: Result['disagreements'];
}

export function summarise({ name, flops, bytes, timings, disagreements }: Result, peak: Peak): CaseResult {
  const own = timings.find(({ party }) => party === 'franca');
  const parties = timings.map((timing): PartyResult => {
    const seconds = timing.milliseconds / 1000;
    const used = (peak.byProcessor ? timing.processor : timing.milliseconds) / 1000;
    const share =
      flops !== undefined
        ? flops / used / peak.flopsPerSecond
        : bytes !== undefined && bytes / used / peak.bytesPerSecond;
    return {
      ...timing,
      ...(flops === undefined ? {} : { gflops: flops / seconds / 1e9 }),
      ...(bytes === undefined ? {} : { gigabytesPerSecond: bytes / seconds / 1e9 }),
      ...(share === false ? {} : { shareOfPeak: share }),
      ...(own && {
        ratio: timing.milliseconds / own.milliseconds,
        processorRatio: timing.processor / own.processor,
      }),
    };
  });
  return { name, parties, disagreements };
}

export function caseLine({ name, parties, disagreements }: CaseResult): string {
  const columns = parties.map((result) => {
    const { party, milliseconds, ratio, processorRatio } = result;
    if (party === 'franca') return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms${rates(result)}`;
    return `${party} ${ratio === undefined ? `${milliseconds.toFixed(0)} ms` : `${ratio.toFixed(1)}x, ${processorRatio?.toFixed(1)}x`}`;
  });
  const wrong = disagreements.map(({ party, difference }) => `${party} differs by ${difference.toExponential(1)}`);
  return `${name.padEnd(46)} ${[...columns, ...wrong].join(' | ')}`;
}

function rates({ gflops, gigabytesPerSecond, shareOfPeak }: PartyResult): string {
  const list: string[] = [];
  if (gflops !== undefined) list.push(`${gflops.toFixed(1)} GFLOP/s`);
  else if (gigabytesPerSecond !== undefined) list.push(`${gigabytesPerSecond.toFixed(1)} GB/s`);
  if (shareOfPeak !== undefined) list.push(`${(100 * shareOfPeak).toFixed(0)} % of peak`);
  return list.length > 0 ? ` (${list.join(', ')})` : '';
}
