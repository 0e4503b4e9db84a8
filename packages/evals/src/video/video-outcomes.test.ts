import { expect, test } from 'vitest';
import { itemsValue } from '../compare/paired-difference';
import { DINO_PROPAGATION } from './propagation-settings';
import { scoredFrames, scoreObjects } from './score-objects';
import { type ObjectTrack, type VideoRun, videoOutcomes } from './video-outcomes';

test('DAVIS leaves out the first and the last frame, YouTube-VOS what is not after the first mask of an object', () => {
  const annotated = [0, 1, 2, 3, 4];
  expect(scoredFrames('davis-2017', { frames: 5, first: 0, annotated })).toEqual([1, 2, 3]);
  expect(scoredFrames('davis-2017', { frames: 9, first: 0, annotated })).toEqual([1, 2, 3, 4]);
  expect(scoredFrames('youtube-vos', { frames: 11, first: 5, annotated: [0, 5, 10] })).toEqual([10]);
});

test('pixels of 255 are background, and an object that is not predicted has an empty mask', () => {
  const truth = Uint8Array.of(1, 1, 255, 2, 2, 0);
  const predicted = Uint8Array.of(1, 0, 1, 0, 0, 0);
  const [first, second] = scoreObjects(truth, predicted, [1, 6], [1, 2]);
  expect(first).toMatchObject({ object: 1, region: 1 / 3 });
  expect(second).toEqual({ object: 2, region: 0, boundary: 0 });
});

const tracks: readonly ObjectTrack[] = [
  { sequence: 'a', object: 1, regions: [1, 0.8, 0.6, 0.4], boundaries: [0.5, 0.5, 0.6, 0.6] },
  { sequence: 'a', object: 2, regions: [0.2], boundaries: [0.4] },
  { sequence: 'b', object: 1, regions: [], boundaries: [] },
];
const run: VideoRun = { protocol: 'dino', scoring: 'davis-2017', total: 3, hyper: { shortSide: 480 }, wallMs: 5 };

test('values are means over objects that have a scored frame, and so are their items', () => {
  const outcomes = videoOutcomes(tracks, { ...run, label: '480 px' });
  expect(outcomes.map(({ metric, variant }) => [metric, variant])).toEqual([
    ['J&F', '480 px'],
    ['J', '480 px'],
    ['F', '480 px'],
  ]);
  const [both, j, f] = outcomes;
  expect(both).toMatchObject({ task: 'video-segmentation', protocol: 'dino', evaluated: 2, total: 3 });
  expect(j!.value).toBeCloseTo((0.7 + 0.2) / 2, 14);
  expect(f!.value).toBeCloseTo((0.55 + 0.4) / 2, 14);
  expect(both!.value).toBeCloseTo((j!.value + f!.value) / 2, 14);
  expect(both!.others).toMatchObject({ J: j!.value, F: f!.value, 'J recall': 3 / 8, 'J decay': j!.others.decay });
  for (const { items, value } of outcomes) expect(itemsValue(items!)).toBeCloseTo(value, 6);
});

test('the record has all settings and says which are not those of the protocol', () => {
  const [plain] = videoOutcomes(tracks, run);
  expect(plain!.hyper).toMatchObject({
    ...{ ...DINO_PROPAGATION, shortSide: 480, sequences: 1, scoredFrames: 5, scoring: 'davis-2017' },
    settings: "the paper's",
  });
  const [changed] = videoOutcomes(tracks, {
    ...run,
    propagation: { topK: 9, context: 7 },
    differences: ['short side 320'],
  });
  expect(changed!.hyper).toMatchObject({ topK: 9, settings: 'topK 9 in place of 5; short side 320' });
  const [third] = videoOutcomes(tracks, { ...run, protocol: 'dinov3', scoring: 'youtube-vos' });
  expect(third!.hyper).toMatchObject({ neighbourhood: 'circle', temperature: 0.2, settings: "the paper's" });
  expect(third!.hyper.scoredOn).toContain('the official server');
});

test('no scored frame at all, and J without F, are refused', () => {
  expect(() => videoOutcomes([tracks[2]!], run)).toThrow('none of 1 objects has a scored frame');
  expect(() => videoOutcomes([{ ...tracks[1]!, boundaries: [] }], run)).toThrow('object 2 of a has J [0.2] and F []');
});
