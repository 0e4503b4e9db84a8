/** The rates behind an expected time, for people: each one's value, and whether it was measured here or is expected, and from what. */
import type { KernelRates, Rate, RateName } from '@franca/tensor';

const NAMES: Readonly<Record<RateName, string>> = {
  matrixFlops: 'products on matrix units',
  productFlops: 'other products',
  attentionFlops: 'attention',
  attentionGradientFlops: 'attention gradient',
  matrixAttentionFlops: 'attention on matrix units',
  matrixAttentionGradientFlops: 'its gradient',
  bytes: 'memory',
  launchSeconds: 'from kernel to kernel',
  serialSeconds: 'step of a serial loop',
  processors: 'processors',
};

/** A rate with its unit. */
export function rateText(name: RateName, value: number): string {
  if (name === 'processors') return `${value}`;
  if (name === 'bytes')
    return value >= 1e12 ? `${(value / 1e12).toPrecision(3)} TB/s` : `${(value / 1e9).toPrecision(3)} GB/s`;
  if (name.endsWith('Seconds'))
    return value >= 1e-6 ? `${(value * 1e6).toPrecision(3)} us` : `${(value * 1e9).toPrecision(3)} ns`;
  return value >= 1e12 ? `${(value / 1e12).toPrecision(3)} TFLOP/s` : `${(value / 1e9).toPrecision(3)} GFLOP/s`;
}

/** What a rate rests on. */
const sourceText = ({ measured, source }: Rate): string =>
  measured === undefined ? `expected: ${source}` : `measured here on ${measured}`;

export interface RateLine {
  readonly what: string;
  readonly value: string;
  readonly source: string;
}

/** A line for each of the rates. */
export const rateLines = (rates: KernelRates): RateLine[] =>
  (Object.keys(NAMES) as RateName[]).map((name) => ({
    what: NAMES[name],
    value: rateText(name, rates[name].value),
    source: sourceText(rates[name]),
  }));

/** In a few words, how much of the rates was measured. */
export function rateNote(rates: KernelRates): string {
  const days = [...new Set(Object.values(rates).flatMap(({ measured }) => measured ?? []))];
  const expected = Object.values(rates).filter(({ measured }) => measured === undefined).length;
  if (days.length === 0) return 'rates are expected, none was measured: franca-train doctor --measure';
  return `rates measured here on ${days.join(', ')}, but for ${expected} that are expected`;
}
