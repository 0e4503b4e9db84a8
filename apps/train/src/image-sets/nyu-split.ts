/**
 * The official split of NYU Depth v2's 1,449 labelled frames: 654 to test on and 795 to learn from, parted by scene.
 *
 * The frames of the test part, counted from 0, as runs: frames that are passed over, then frames that are taken.
 */

/** Labelled frames of the whole set. */
export const NYU_FRAMES = 1449;

const TEST_RUNS =
  '0+2 6+1 4+5 2+1 6+16 2+2 8+2 1+5 12+4 4+8 25+3 5+5 1+4 2+1 15+3 11+3 1+6 3+23 4+6 7+3 27+1 13+1 6+3 5+7 10+7 ' +
  '7+3 2+3 7+11 15+2 2+10 19+7 4+3 13+4 15+6 5+8 13+5 2+9 30+6 1+12 4+3 3+3 9+3 3+17 7+5 7+4 8+5 4+2 3+5 11+6 ' +
  '5+2 4+2 4+3 4+2 3+6 2+6 4+5 2+2 2+3 6+8 3+2 5+5 2+4 8+2 14+29 12+5 5+5 6+3 9+14 3+3 4+6 6+3 34+3 8+3 6+3 3+4 ' +
  '9+3 11+4 2+3 2+8 13+5 5+4 5+3 8+3 8+3 3+2 8+2 2+2 3+2 16+10 3+9 1+7 1+4 7+3 3+9 3+2 7+15 3+6 2+2 2+3 2+6 7+5 ' +
  '4+12 3+5 5+5 2+3 11+4 3+12 9+6 4+11 1+3 2+7 5+2 13+4 2+6 6+3 3+4 7+2 2+2 14+8 2+8 5+8 6+4 5+4 7+9';

/** Frames of one part, counted from 0, ascending. */
export function nyuSplit(part: 'train' | 'test'): number[] {
  const frames: number[] = [];
  let at = 0;
  const take = (count: number, wanted: boolean): void => {
    for (const end = at + count; at < end; at++) if (wanted) frames.push(at);
  };
  for (const run of TEST_RUNS.split(' ')) {
    const [passed, taken] = run.split('+').map(Number) as [number, number];
    take(passed, part === 'train');
    take(taken, part === 'test');
  }
  take(NYU_FRAMES - at, part === 'train');
  return frames;
}
