import { expect, test } from 'vitest';
import { processorFacts, processorName } from './processor';

const cpuinfo = (model: number): string =>
  [
    'processor\t: 0',
    'vendor_id\t: AuthenticAMD',
    'cpu family\t: 25',
    `model\t\t: ${model}`,
    'model name\t: AMD EPYC',
    'stepping\t: 1',
    'cpu MHz\t\t: 2596.1',
  ].join('\n');

test('generations of one name differ, and a clock that changes does not count', () => {
  const twice = `${cpuinfo(1)}\n\n${cpuinfo(1).replace('processor\t: 0', 'processor\t: 1')}\n`;
  expect(processorFacts(twice)).toBe('AuthenticAMD 25 1 AMD EPYC 1');
  expect(processorFacts(cpuinfo(17))).not.toBe(processorFacts(twice));
  expect(processorFacts('processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c')).toBe('0x41 0xd0c');
});

test('text of another form says nothing', () => {
  expect(['', 'nonsense', '\n\n'].map(processorFacts)).toEqual(['', '', '']);
});

test('the name is the same each time', () => {
  expect(processorName()).toMatch(/\S x \d+$/);
  expect(processorName()).toBe(processorName());
});
