import { expect, test } from 'vitest';
import { compare } from './bench-torch';
import type { EngineTimes } from './engine-step';

const engine: EngineTimes = {
  losses: [40, 30, 20],
  milliseconds: 100,
  fastest: 90,
  slowest: 110,
  processor: 50,
  compileSeconds: 1,
  lossScale: null,
  skipped: 0,
  peakBytes: 1,
  kernels: 1,
  flops: 1,
  otherLoad: 0,
};
const torch = { losses: [40, 30.003, 20.001], milliseconds: 60, processor: 100, device: 'cpu' };
const cpu = { engine, family: 'cpu', tolerance: 1e-3 } as const;

test('processors are compared by their time, cards by the clock', () => {
  expect(compare(cpu, torch)).toMatchObject({ ratio: 2, ratioBy: 'processor', refused: undefined });
  const gpu = { ...cpu, family: 'gpu' } as const;
  expect(compare(gpu, { ...torch, device: 'NVIDIA H100' })).toMatchObject({ ratio: 0.6, ratioBy: 'clock' });
});

test('steps whose losses differ get no ratio, and neither do a card and a processor', () => {
  expect(compare(cpu, { ...torch, losses: [40, 30, 20.1] })).toMatchObject({
    ratio: undefined,
    lossDifference: expect.closeTo(0.005),
  });
  expect(compare(cpu, { ...torch, losses: [40, Number.NaN, 20] }).refused).toContain('the losses differ by NaN');
  expect(compare({ ...cpu, family: 'gpu' }, torch)).toMatchObject({
    ratio: undefined,
    refused: 'PyTorch ran on the processor, the engine not',
  });
});
