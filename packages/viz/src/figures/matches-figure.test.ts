import { expect, test } from 'vitest';
import { filledImage } from '../drawing/image';
import { type MatchedPictures, matchesFigure, type PointMatch } from './matches-figure';

const match = (change: Partial<PointMatch> = {}): PointMatch => ({
  source: [10, 20],
  found: [50, 25],
  truth: [60, 30],
  right: true,
  ...change,
});
const pair = (...matches: PointMatch[]): MatchedPictures => ({
  source: filledImage(100, 50, [90, 120, 90]),
  target: filledImage(50, 100, [120, 90, 90]),
  matches,
});

test('a line runs from each point to where it was found, in pixels of the pictures', () => {
  const { svg } = matchesFigure([pair(match())], { cellSize: 200 });
  // the source is as wide as its cell, from 14 on; the target, 100 of 200 wide, begins 10 behind it and 50 in
  const [, x1, y1, x2, y2] = /<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"/.exec(svg)!.map(Number);
  expect([x1, x2]).toEqual([14 + 2 * 10, 14 + 200 + 10 + 50 + 2 * 50]);
  expect(y2! - y1!).toBe(2 * (25 - 20));
  expect(svg.match(/<image/g)).toHaveLength(2);
});

test('right and wrong ones differ in colour and stroke; of a wrong one the truth is ringed', () => {
  const right = matchesFigure([pair(match())]).svg;
  const both = matchesFigure([pair(match(), match({ right: false, source: [30, 30] }))]).svg;
  const rings = (svg: string) => svg.match(/<circle[^>]*fill="none"/g)?.length ?? 0;
  expect([rings(right), rings(both)]).toEqual([0, 2]);
  expect([...both.matchAll(/<line[^>]*stroke="(#\w+)"/g)].map(([, colour]) => colour)).toEqual(['#d55e00', '#0072b2']);
  expect(both.match(/stroke-dasharray/g)).toHaveLength(1);
});

test('pairs stand in rows with their labels below; big pictures are stored no larger than shown', () => {
  const pairs = [1, 2, 3].map((i) => ({ ...pair(match()), label: `pair ${i}` }));
  const two = matchesFigure(pairs, { title: 'Matches', columns: 2 });
  const one = matchesFigure(pairs, { title: 'Matches', columns: 1 });
  expect(two.title).toBe('Matches');
  expect(two.width).toBeGreaterThan(1.9 * one.width);
  expect(two.height).toBeLessThan(one.height);
  for (const i of [1, 2, 3]) expect(two.svg).toContain(`>pair ${i}<`);
  const big = { ...pair(), source: filledImage(3000, 1500, [1, 2, 3]) };
  expect(matchesFigure([big]).svg.length).toBeLessThan(30_000);
});

test('no pair, and a place outside its picture, are refused', () => {
  expect(() => matchesFigure([])).toThrow(/no pair was passed/);
  expect(() => matchesFigure([pair(match({ source: [101, 0] }))])).toThrow(/pair 0 is at \(101, 0\).*100 x 50/);
});
