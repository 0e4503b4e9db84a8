import { describe, expect, test } from 'vitest';
import type { ExchangeRateName, ExchangeRates } from '../base/exchange-rates';
import { type Rate, ROUGH_GPU } from '../base/rates';
import { defaultTarget, type Target } from '../base/target';
import type { GraphNode, Kernel } from '../graph/op';
import type { PlannedExchange, PlanStep } from './plan-types';
import { type RankLinks, timeline } from './timeline';

const rate = (value: number): Rate => ({ value, source: 'a round number' });

/** A kernel of n bytes takes n seconds. */
const target: Target = {
  ...defaultTarget,
  rates: { ...ROUGH_GPU, bytes: rate(1), launchSeconds: rate(0), processors: rate(1) },
};

/** Everything at once, but for what a test gives. */
const RATES: Record<ExchangeRateName, number> = {
  read: Number.POSITIVE_INFINITY,
  write: Number.POSITIVE_INFINITY,
  mapSeconds: 0,
  link: Number.POSITIVE_INFINITY,
  memory: Number.POSITIVE_INFINITY,
  linkSeconds: 0,
  memorySeconds: 0,
  callSeconds: 0,
  reduce: Number.POSITIVE_INFINITY,
  logSumExp: Number.POSITIVE_INFINITY,
  encodeSeconds: 0,
};
const links = (ranks: number, rates: Partial<typeof RATES>, ranksPerNode = 1): RankLinks => ({
  ranks,
  ranksPerNode,
  rates: Object.fromEntries(
    Object.entries({ ...RATES, ...rates }).map(([name, value]) => [name, rate(value)]),
  ) as ExchangeRates,
});

const node = {} as GraphNode;
const kernel = (seconds: number): PlanStep => ({
  kind: 'kernel',
  kernel: { kind: 'elementwise', workgroups: [1, 1, 1], flops: 0, bytes: seconds, serial: 0 } as unknown as Kernel,
  addresses: [],
  node,
  members: [],
});
/** Of values of 4 bytes. */
const exchange = (bytes: number, other: Partial<PlannedExchange> = {}): PlannedExchange =>
  ({
    kind: 'allReduce',
    how: 'sum',
    size: 2,
    when: undefined,
    sent: bytes / 4,
    received: bytes / 4,
    node,
    ...other,
  }) as PlannedExchange;
const send = (exchange: PlannedExchange): PlanStep => ({ kind: 'send', exchange, node });
const receive = (exchange: PlannedExchange): PlanStep => ({ kind: 'receive', exchange, node });

const times = (steps: readonly PlanStep[], ranks: RankLinks, idle?: ReadonlySet<string>) =>
  timeline({ steps, target }, ranks, idle);

test('kernels alone take what they take', () => {
  expect(times([kernel(2), kernel(3)], links(1, {}))).toEqual({
    seconds: 5,
    computeSeconds: 5,
    exposedSeconds: 0,
    communicationSeconds: 0,
    exchanges: [],
    bytes: 0,
  });
});

describe('an exchange', () => {
  const secondsOf = (own: PlannedExchange, ranks: RankLinks): number =>
    times([send(own), receive(own)], ranks).communicationSeconds;
  test.each<[string, Partial<typeof RATES>, number]>([
    ['sends three quarters of its bytes twice', { link: 3 }, 2 * 3 * (4 / 3)],
    ['sends each other rank a message twice', { linkSeconds: 5 }, 2 * 3 * 5],
    [
      'is a call to agree, one for each of its halves, and one for the sum with each other rank',
      { callSeconds: 7 },
      (3 + 3) * 7,
    ],
    ['adds the stretches of the other ranks', { reduce: 2 }, 12 / 2],
  ])('of 16 bytes over four ranks %s', (_, rates, seconds) => {
    expect(secondsOf(exchange(16, { size: 4 }), links(4, rates))).toBeCloseTo(seconds, 12);
  });
  test('has three other ranks on the same node and four on another one', () => {
    const rates = { link: 2, memory: 4, linkSeconds: 1, memorySeconds: 0.5 };
    expect(secondsOf(exchange(64, { size: 8 }), links(8, rates, 4))).toBe(2 * (4 * (8 / 2 + 1) + 3 * (8 / 4 + 0.5)));
  });
  test('is gathered only, or scattered only', () => {
    const [gather, scatter] = [
      exchange(4, { size: 4, kind: 'allGather', received: 4 }),
      exchange(16, { size: 4, kind: 'reduceScatter', received: 1 }),
    ];
    expect(secondsOf(gather, links(4, { link: 4, reduce: 1 }))).toBe(3);
    expect(secondsOf(scatter, links(4, { link: 4, reduce: 1 }))).toBe(3 + 12);
  });
  test('takes the exponentials of the other ranks', () => {
    expect(secondsOf(exchange(16, { size: 4, how: 'logSumExp' }), links(4, { logSumExp: 6, reduce: 1 }))).toBe(3 / 6);
  });
  test('of which the device needs the value at once is exposed, with its copies and its mapping', () => {
    const own = exchange(8);
    const ranks = links(2, { read: 4, write: 2, mapSeconds: 1, link: 8 });
    expect(times([kernel(3), send(own), receive(own), kernel(5)], ranks)).toMatchObject({
      // 3, 2 to read, 1 to map, 1 in the network, 4 to write, 5
      seconds: 16,
      computeSeconds: 8,
      exposedSeconds: 8,
      communicationSeconds: 1,
      bytes: 8,
      exchanges: [{ sent: 5, begun: 6, ready: 7, needed: 5 }],
    });
  });
  test('hides behind kernels that do not need it', () => {
    const own = exchange(8);
    const steps = [send(own), kernel(3), receive(own), kernel(1)];
    expect(times(steps, links(2, { link: 4 })).exposedSeconds).toBe(0);
    expect(times(steps, links(2, { link: 2 })).exposedSeconds).toBe(1);
  });
  test('waits for the one before it', () => {
    const [first, second] = [exchange(8), exchange(8)];
    const { exchanges, seconds } = times(
      [send(first), kernel(1), send(second), kernel(1), receive(second), receive(first)],
      links(2, { link: 2 }),
    );
    expect(exchanges.map(({ sent, begun, ready }) => [sent, begun, ready])).toEqual([
      [0, 0, 4],
      [1, 4, 8],
    ]);
    expect(seconds).toBe(8);
  });
  test('whose knob is 0 does not take place', () => {
    const own = exchange(8, { when: 'last' });
    const steps = [send(own), kernel(1), receive(own)];
    expect(times(steps, links(2, { link: 1 }), new Set(['last']))).toMatchObject({ seconds: 1, bytes: 0 });
    expect(times(steps, links(2, { link: 1 }))).toMatchObject({ seconds: 8, bytes: 8 });
  });
});

describe('the thread that encodes', () => {
  test('is ahead of the device, unless kernels are shorter than their encoding', () => {
    expect(times([kernel(3), kernel(3)], links(1, { encodeSeconds: 1 })).seconds).toBe(7);
    expect(times([kernel(3), kernel(3)], links(1, { encodeSeconds: 5 })).seconds).toBe(13);
  });
  test('goes on only when the value is there that comes next', () => {
    const own = exchange(8);
    const ranks = links(2, { link: 1, encodeSeconds: 1 });
    // sent at 1, there at 9, copied at 10; the kernel after it is encoded meanwhile
    expect(times([send(own), receive(own), kernel(2)], ranks).seconds).toBe(13);
  });
});

test.each<[string, RankLinks, string]>([
  ['of other ranks', links(4, {}), 'the plan is one of 2 ranks, not of 4; plan the step for as many'],
  ['on too small a cluster', links(2, {}, 3), '2 ranks, 3 of them on a node'],
  ['with half a rank', links(1.5, {}), '1.5 ranks'],
  ['without a rate', links(2, { link: 0 }), 'the rate link is 0; give one above 0'],
  ['before it began', links(2, { mapSeconds: -1 }), 'the rate mapSeconds is -1'],
])('a step %s is refused', (_, ranks, message) => {
  expect(() => times([send(exchange(8))], ranks)).toThrow(
    expect.objectContaining({ code: 'argument', message: expect.stringContaining(message) }),
  );
});
