/** Runs that go on in the background while ranks exchange values: what may be called when, and what happens when an exchange fails. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockstepRanks } from '../../../../test/support/lockstep-ranks';
import { compile } from '../compile';
import type { Tensor } from '../graph/op';
import type { Ranks } from '../graph/ranks';
import { openGpu } from '../node';
import { assign, store } from '../ops/assign';
import { allGather, allReduce, allReduceWindows } from '../ops/collective';
import { add, log, mul } from '../ops/elementwise';
import { mean } from '../ops/extrema';
import { matmul } from '../ops/matmul/matmul';
import { sum } from '../ops/reduce';
import { reshape } from '../ops/views';
import { grad } from '../passes/grad';
import { normals } from '../testing';
import type { Gpu } from './gpu';
import { createState } from './state';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' as const });
const N = 96;

/** Ranks that answer when they are told to: one process plays one of two. */
function rankOfTwo() {
  const calls: { send: Float32Array; receive: Float32Array; resolve: () => void; reject: (error: Error) => void }[] =
    [];
  const call = (send: Float32Array, receive: Float32Array) =>
    new Promise<void>((resolve, reject) => calls.push({ send, receive, resolve, reject }));
  const ranks: Ranks = {
    rank: 0,
    size: 2,
    allReduce: call,
    reduceScatter: call,
    // what compile asks of the other rank: it exchanges the same
    async allGather(send, receive) {
      receive.set(send);
      receive.set(send, send.length);
    },
  };
  const called = async (count: number) => {
    while (calls.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { ranks, calls, called };
}

/** y = w + (sum of x over ranks), twice, and w becomes y. */
async function compileAdding(ranks: Ranks) {
  const state = createState(gpu, { model: { w: f32(N) } });
  const step = await compile(
    gpu,
    ({ model }, { x }) => {
      const { w } = model.tensors;
      const y = add(w, allReduce(mul(allReduce(x, 2), 0.5), 2));
      assign(w, y);
      return { y, total: sum(y) };
    },
    { state, batch: { x: f32(N) }, ranks },
  );
  return { state, step };
}

const ones = new Float32Array(N).fill(1);

test('run returns at once; until its done() neither the step, its state nor its ranks take another run', async () => {
  const { ranks, calls, called } = rankOfTwo();
  const { state, step } = await compileAdding(ranks);
  const other = await compile(gpu, ({ model }) => ({ z: mul(model.tensors.w, 2) }), { state });
  step.run({ x: ones });
  await called(1);
  expect([...calls[0]!.send]).toEqual([...ones]);
  for (const busy of [() => step.run({ x: ones }), () => other.run({}), () => state.write('model', 'w', ones)])
    expect(busy).toThrow(/the step compiled at \S+run-plan\.test\.ts:\d+:\d+ still runs; await its done\(\) first/);

  const looks = [step.done(), step.read('y'), step.latest(), step.metrics(), state.read('model', 'w')] as const;
  let settled = 0;
  for (const look of looks) look.then(() => settled++);
  calls[0]!.receive.fill(6);
  calls[0]!.resolve();
  await called(2);
  expect(settled).toBe(0);
  expect([...calls[1]!.send]).toEqual([...ones].map(() => 3));
  calls[1]!.receive.fill(8);
  calls[1]!.resolve();
  const [, y, latest, metrics, w] = await Promise.all(looks);
  expect([y[0], latest.total, metrics.rows.map(({ total }) => total), w[N - 1]]).toEqual([8, 8 * N, [8 * N], 8]);

  other.run({});
  step.run();
  await called(3);
  for (const one of [step, other, state]) one.dispose();
  calls[2]!.resolve();
});

test('an exchange that fails is what done() rejects with, and the step cannot be used again', async () => {
  const { ranks, calls, called } = rankOfTwo();
  const { state, step } = await compileAdding(ranks);
  step.run({ x: ones });
  await called(1);
  const waiting = step.read('y');
  waiting.catch(() => {});
  const lost = new Error('rank 1 is gone');
  calls[0]!.reject(lost);
  await expect(step.done()).rejects.toBe(lost);
  await expect(waiting).rejects.toBe(lost);
  await expect(step.done()).rejects.toBe(lost);
  expect(() => step.run({ x: ones })).toThrow(
    /the step compiled at .* failed in the middle of a run, and its state is half updated: rank 1 is gone; dispose of it/,
  );
  expect(calls).toHaveLength(1);
  // neither a later exchange nor a promise that nobody awaits is left over
  const before = gpu.allocatedBytes;
  step.dispose();
  state.dispose();
  expect(gpu.allocatedBytes).toBeLessThan(before);
});

test('a step that is disposed of during a run leaves its memory to the ranks until they are done with it', async () => {
  const own = await openGpu();
  const { ranks, calls, called } = rankOfTwo();
  const step = await compile(own, (_, { x }) => ({ y: allReduce(allReduce(x, 2), 2) }), {
    batch: { x: f32(N) },
    ranks,
  });
  step.run({ x: ones });
  await called(1);
  const done = step.done();
  done.catch(() => {});
  step.dispose();
  let isDisposed = false;
  const disposed = own.dispose().then(() => {
    isDisposed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isDisposed).toBe(false);
  expect([...calls[0]!.send]).toEqual([...ones]);
  calls[0]!.receive.fill(2);
  calls[0]!.resolve();
  await expect(done).rejects.toThrow(/was disposed during a run/);
  await disposed;
  expect(calls).toHaveLength(1);
});

/** A training step of two ranks: statistics over ranks in the forward pass, summed gradients, an update. */
async function compileTraining(
  size: number,
  all: readonly Ranks[],
  options: { fusion?: boolean; isolate?: boolean } = {},
) {
  const specs = { a: f32(24, 16), b: f32(16, 24) };
  const states = all.map(() => {
    const state = createState(gpu, { w: specs, g: specs });
    state.write('w', 'a', normals(24 * 16, 5));
    state.write('w', 'b', normals(24 * 16, 6));
    return state;
  });
  const steps = await Promise.all(
    all.map((ranks, rank) =>
      compile(
        gpu,
        ({ w, g }, { x }, { lr }) => {
          const { a, b } = w.tensors;
          const h = matmul(x, a, { transposeB: true });
          const y = matmul(h, b, { transposeB: true });
          const center = mul(allReduce(mean(y, [0]), size), 1 / size);
          const rows = allGather(add(y, mul(center, -1)), size);
          const loss = mul(mean(mul(rows, rows)), 1 / size);
          const windows = store(g, grad(loss, { a, b }));
          const sums = allReduceWindows(windows, { size, bucket: 256 });
          w.windows.forEach((window, i) => {
            assign(window, add(window, mul(lr, sums[i]!)));
          });
          return { loss: allReduce(loss, size) };
        },
        { state: states[rank]!, batch: { x: f32(10, 16) }, knobs: { lr: [] }, ranks, ...options },
      ),
    ),
  );
  return { states, steps };
}

async function train(size: number, runs: number, options?: { fusion?: boolean; isolate?: boolean }) {
  const { states, steps } = await compileTraining(size, lockstepRanks(size), options);
  const created: (typeof gpu.created)[] = [];
  for (let run = 0; run < runs; run++) {
    steps.forEach((step, rank) => {
      step.run({ x: normals(160, 7 + rank + size * run) }, { lr: -0.01 });
    });
    await Promise.all(steps.map((step) => step.done()));
    created.push({ ...gpu.created });
  }
  const metrics = await Promise.all(steps.map((step) => step.metrics()));
  const weights = await Promise.all(states.map((state) => state.read('w', 'a')));
  for (const one of [...steps, ...states]) one.dispose();
  return { weights, losses: metrics.map(({ rows }) => rows.map(({ loss }) => loss)), created };
}

test('all ranks have the same bits after every run, twice the same, and nothing is created after the first', async () => {
  const { weights, losses, created } = await train(2, 50);
  expect(weights[1]).toEqual(weights[0]);
  expect(losses[1]).toEqual(losses[0]);
  expect(losses[0]!.at(-1)).toBeLessThan(losses[0]![0]!);
  expect(created.at(-1)).toEqual(created[0]);
  const again = await train(2, 50);
  expect(again.weights).toEqual(weights);
});

test('one op at a time gives the same bits, and so does a plan without fusion', async () => {
  const { weights, losses } = await train(3, 2);
  for (const options of [{ isolate: true }, { isolate: true, fusion: false }]) {
    const other = await train(3, 2, options);
    expect(other.weights).toEqual(weights);
    expect(other.losses).toEqual(losses);
  }
});

test('profile and findNonFinite run on all ranks together', async (context) => {
  const build = (_: object, { x }: { x: Tensor }) => ({
    y: allReduce(log(x), 2),
    z: allReduce(reshape(mul(x, 2), [N]), 2),
  });
  const steps = await Promise.all(
    lockstepRanks(2).map((ranks) => compile(gpu, build, { batch: { x: f32(N) }, ranks })),
  );
  steps.forEach((step, rank) => {
    step.run({ x: rank === 1 ? new Float32Array(N) : ones });
  });
  const found = await Promise.all(steps.map((step) => step.findNonFinite()));
  // rank 1 makes the infinity, the other one gets it
  expect(found.map((one) => one?.op)).toEqual(['allReduce', 'log']);
  await Promise.all(steps.map((step) => step.done()));
  expect((await steps[0]!.read('z'))[0]).toBe(2);
  if (gpu.target.timestamps) {
    const times = await Promise.all(steps.map((step) => step.profile({ x: ones })));
    expect(times.map((rows) => rows.reduce((total, { count }) => total + count, 0))).toEqual([2, 2]);
    expect((await steps[1]!.read('z'))[0]).toBe(4);
  }
  for (const step of steps) step.dispose();
  context.skip(!gpu.target.timestamps, 'the adapter has no timestamps');
});

test('a step without exchanges may be run again at once, whatever ranks it is given', async () => {
  const [step, other] = await Promise.all(
    lockstepRanks(2).map((ranks) => compile(gpu, (_, { x }) => ({ y: mul(x, 2) }), { batch: { x: f32(N) }, ranks })),
  );
  step!.run({ x: ones });
  step!.run({ x: ones });
  expect((await step!.metrics()).rows).toHaveLength(2);
  for (const one of [step!, other!]) one.dispose();
});
