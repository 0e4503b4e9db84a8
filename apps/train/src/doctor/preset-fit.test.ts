import { expect, test } from 'vitest';
import type { Preset } from '../config/presets';
import { fits, recommendedPreset, statedBytes } from './preset-fit';

const preset = (name: string, memory: string): Preset => ({ name, path: '', facts: { memory } });
const GiB = 2 ** 30;

test('stated memory is read from the header of a preset', () => {
  expect([
    statedBytes(preset('a', '1.5 GiB')),
    statedBytes(preset('a', 'about 300 MiB')),
    statedBytes(preset('a', '')),
  ]).toEqual([1.5 * GiB, 300 * 2 ** 20, undefined]);
});

test('a preset fits if a tenth of the memory stays free, and nothing is claimed without numbers', () => {
  expect([fits(preset('a', '9 GiB'), 10 * GiB), fits(preset('a', '9.1 GiB'), 10 * GiB)]).toEqual([true, false]);
  expect([fits(preset('a', ''), 10 * GiB), fits(preset('a', '9 GiB'), undefined)]).toEqual([undefined, undefined]);
});

test('a GPU gets the largest preset that fits, a processor the quick one', () => {
  const presets = [
    preset('cpu-tiny', '1 GiB'),
    preset('cpu-small', '2 GiB'),
    preset('gpu-small', '4 GiB'),
    preset('gpu-base', '18 GiB'),
  ];
  expect(recommendedPreset('gpu', presets, 24 * GiB)).toBe('gpu-base');
  expect(recommendedPreset('gpu', presets, 8 * GiB)).toBe('gpu-small');
  expect(recommendedPreset('gpu', presets, undefined)).toBe('gpu-small');
  expect(recommendedPreset('cpu', presets, 64 * GiB)).toBe('cpu-tiny');
});
