/**
 * The plans of the official recipes on three GPUs, on paper: totals as they were recorded, and kernels that a wide adapter waits for, of which there may only
 * become fewer. What is recorded stands in `official-plans.json`; UPDATE_REFERENCE=1 writes it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { lintPlan, type Plan } from '@franca/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { derive } from '../config/derive';
import { loadConfig } from '../config/load';
import { targetNamed } from './named-adapters';
import { planPretraining } from './plan-pretraining';

const FILE = new URL('official-plans.json', import.meta.url);
const UPDATE = 'UPDATE_REFERENCE=1 npx vitest run apps/train/src/plan/official-plans.test.ts';

interface Finding {
  readonly count: number;
  /** Steps of the longest loop. */
  readonly serial: number;
  readonly milliseconds: number;
}

interface Recorded {
  readonly kernels: number;
  readonly gigaflops: number;
  readonly gigabytesMoved: number;
  readonly gigabytesHeld: number;
  /** By rule and label. */
  readonly findings: Readonly<Record<string, Finding>>;
}

const round = (value: number): number => Number(value.toFixed(2));

const recordOf = (plan: Plan): Recorded => ({
  kernels: plan.report.kernels,
  gigaflops: round(plan.report.flops / 1e9),
  gigabytesMoved: round(plan.report.bytesMoved / 1e9),
  gigabytesHeld: round(plan.report.totalBytes / 1e9),
  findings: Object.fromEntries(
    lintPlan(plan).map(({ rule, kernel, count, serial, expectedSeconds }) => [
      `${rule}: ${kernel}`,
      { count, serial, milliseconds: round(expectedSeconds * 1e3) },
    ]),
  ),
});

interface Comparison {
  readonly worse: readonly string[];
  readonly better: readonly string[];
}

/** What became worse of the findings, in any of their numbers, and what better or went. */
function compareFindings(before: Recorded['findings'], now: Recorded['findings']): Comparison {
  const text = (finding: Finding | undefined): string =>
    finding ? `${finding.count} kernels, ${finding.serial} steps, ${finding.milliseconds} ms` : 'none';
  const changes = [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) => {
    const [old, own] = [before[name], now[name]];
    const says = `${name}: ${text(old)} before, ${text(own)} now`;
    if (!old || !own) return [{ says, isWorse: !old }];
    const isWorse =
      own.count > old.count || own.serial > old.serial || own.milliseconds > 1.01 * old.milliseconds + 0.01;
    return isWorse || text(old) !== text(own) ? [{ says, isWorse }] : [];
  });
  const those = (isWorse: boolean): string[] =>
    changes.filter((change) => change.isWorse === isWorse).map(({ says }) => says);
  return { worse: those(true), better: those(false) };
}

const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Readonly<Record<string, Recorded>>;
const written: Record<string, Recorded> = {};
const shrunk: string[] = [];

afterAll(() => {
  if (process.env.UPDATE_REFERENCE) writeFileSync(FILE, `${JSON.stringify(written, undefined, 2)}\n`);
  else if (shrunk.length > 0)
    console.log(`fewer or faster kernels than recorded; record them with ${UPDATE}\n${shrunk.join('\n')}`);
});

const RECIPES = [
  ['official-in21k-vitb14', 32],
  ['official-in21k-vitb14', 64],
  ['official-in21k-vitl14', 32],
  ['official-in21k-vitg14', 16],
] as const;

describe.each(['h200-like', 'rtx4090-like', 'rx7900xtx-like'])('on %s', (name) => {
  test.each(RECIPES)('%s, %i images, nothing computed twice', async (preset, images) => {
    const overrides = [`train.batch_size_per_gpu=${images}`, 'franca.total_batch=2048', 'franca.remat=false'];
    const options = derive(loadConfig([preset], overrides).config, { size: 1, rank: 0, f16: true });
    const now = recordOf(planPretraining(options, await targetNamed(name)));
    const key = `${name} ${preset} ${images}`;
    written[key] = now;
    if (process.env.UPDATE_REFERENCE) return;
    const { findings, ...totals } = recorded[key]!;
    const { findings: own, ...ownTotals } = now;
    expect(ownTotals, `the plan changed; if that is meant, record it with ${UPDATE}`).toEqual(totals);
    const { worse, better } = compareFindings(findings, own);
    expect(worse, 'kernels that a wide adapter waits for; the list may only shrink').toEqual([]);
    shrunk.push(...better.map((line) => `${key}: ${line}`));
  });
});

describe('the list', () => {
  const sums = { count: 24, serial: 14649, milliseconds: 31 };
  test.each([
    ['another kernel', { 'serial: sum': sums, 'serial: topK': sums }],
    ['one kernel more', { 'serial: sum': { ...sums, count: 25 } }],
    ['a longer loop', { 'serial: sum': { ...sums, serial: 14650 } }],
    ['more time', { 'serial: sum': { ...sums, milliseconds: 32 } }],
  ])('does not take %s', (_, now) => {
    expect(compareFindings({ 'serial: sum': sums }, now).worse).toHaveLength(1);
  });
  test('shrinks', () => {
    const before = { 'serial: sum': sums, 'serial: topK': sums };
    expect(compareFindings(before, { 'serial: sum': { ...sums, serial: 64, milliseconds: 1 } })).toEqual({
      worse: [],
      better: [
        'serial: sum: 24 kernels, 14649 steps, 31 ms before, 24 kernels, 64 steps, 1 ms now',
        'serial: topK: 24 kernels, 14649 steps, 31 ms before, none now',
      ],
    });
    expect(compareFindings(before, before)).toEqual({ worse: [], better: [] });
  });
});
