import { toFloat32 } from '@franca/checkpoint';
import { expect, test } from 'vitest';
import { toHalves } from './halves';

const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const values = toFloat32('f16', all);
const never = (index: number): never => {
  throw new Error(`overflow at ${index}`);
};

test('every half comes back as itself, and as a NaN what is none', () => {
  const back = toHalves(values, never);
  for (const bits of all)
    if (Number.isNaN(values[bits]!)) expect((back[bits]! & 0x7fff) > 0x7c00).toBe(true);
    else if (back[bits] !== bits) throw new Error(`${bits} became ${back[bits]}`);
});

test('numbers between two halves become the nearer one, and of two as near the even one', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [below, above] = [values[bits]!, values[bits + 1]!];
    const middle = (below + above) / 2;
    const step = (above - below) / 1024;
    const found = toHalves(Float32Array.of(middle - step, middle, middle + step, -middle), never);
    const even = bits + (bits & 1);
    const wanted = [bits, even, bits + 1, even | 0x8000];
    if (found.some((half, i) => half !== wanted[i])) throw new Error(`${middle}: ${found}, not ${wanted}`);
  }
});

test('a finite number that would become infinite is told', () => {
  const told: number[] = [];
  toHalves(Float32Array.of(65519.996, 65520, -1e9, Number.POSITIVE_INFINITY, Number.NaN), (index) => told.push(index));
  expect(told).toEqual([1, 2]);
});
