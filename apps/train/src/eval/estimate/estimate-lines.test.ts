import { expect, test } from 'vitest';
import type { TaskEstimate } from './estimate';
import { closingLines, taskLines } from './estimate-lines';

const time = (seconds: number) => ({ seconds, processor: seconds });

const estimate: TaskEstimate = {
  task: 'knn',
  reads: [
    {
      ...{ dataset: 'imagenet-1k', split: 'train', preprocessing: 'crop', images: 1_281_167, inCache: 1_000_000 },
      ...{ computed: 281_167, each: time(0.01), time: time(2811.67), bytes: 2 ** 30 },
    },
  ],
  work: [{ name: 'search', units: 10, constant: time(0), each: time(6), time: time(60) }],
  time: time(2871.67),
  memory: 3 * 2 ** 30,
  device: 2 ** 20,
  unknown: ['the weather'],
};
const frame = {
  device: 'a card',
  sharesMemory: false,
  cache: '/cache',
  room: { held: 0, bound: 1.5 * 2 ** 30, free: 2 ** 31 },
  command: 'franca-train eval knn',
};

test('an estimate is a small table with two digits of time, then what is needed and the command', () => {
  expect(taskLines(estimate)).toEqual([
    'knn:',
    '                                    images  in the cache  to compute    time',
    '  features of imagenet-1k train  1,281,167     1,000,000     281,167  47 min',
    '  search                                                                60 s',
    '  in all                                                              48 min',
    '  not known: the weather',
  ]);
  const said = closingLines([estimate], frame).join('\n');
  expect(said).toContain('memory: about 3.0 GiB, and 1.0 MiB on the device beside the model');
  expect(said).toContain('disk: 1.0 GiB more in /cache, which holds 0 B of at most 1.5 GiB; 2.0 GiB are free');
  expect(said).not.toContain('not enough room');
  expect(said).toMatch(/to start it: franca-train eval knn$/);
});

test('several add up, and too little room is said', () => {
  const said = closingLines([estimate, estimate, estimate], frame).join('\n');
  expect(said).toContain('all of them: 2.4 h');
  expect(said).toContain('there is not enough room');
});
