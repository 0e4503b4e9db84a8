import type { Host } from '@franca/tensor/node';
import { expect, test } from 'vitest';
import { unusedCard } from './adapter-notes';

const host: Host = { platform: 'linux', nvidiaDevice: true, renderDevice: true };
const software = { family: 'cpu', name: 'llvmpipe: Mesa 25' } as const;

test('a run on the processor beside a card that answers nobody is warned of, with what to install', () => {
  const warning = [expect.stringMatching(/^warning: the run computes on the processor \(llvmpipe.*NVIDIA.*install/)];
  expect(unusedCard(undefined, software, host)).toEqual(warning);
  expect(unusedCard('auto', software, host)).toEqual(warning);
  expect(unusedCard(undefined, software, { ...host, nvidiaDevice: false })).toEqual([
    expect.stringContaining('renderD128'),
  ]);
});

test('but not where it was asked for, where there is no card, and on a GPU', () => {
  expect(unusedCard('software', software, host)).toEqual([]);
  expect(unusedCard(undefined, software, { ...host, nvidiaDevice: false, renderDevice: false })).toEqual([]);
  expect(unusedCard(undefined, { family: 'gpu', name: 'a GPU' }, host)).toEqual([]);
});
