/** The generated world as videos, and what it proves of following objects: with features that know the truth there is one right answer. */
import { generatedVideos } from '@franca/data';
import { cpuBackend, DINO_PROPAGATION, type PatchFeatures } from '@franca/evals';
import { describe, expect, it } from 'vitest';
import { followSequence } from '../eval/video/follow-sequence';
import type { FollowedSequence } from '../eval/video/follow-set';
import { arraysOf, masksOf, packMask } from '../eval/video/packed-masks';
import { scoreSequence } from '../eval/video/score';
import { videoPart } from '../eval/video/video-part';
import type { FeatureSession } from '../features/session';
import { openVideos } from './video-layouts';
import type { VideoSequence } from './video-set';

const SIDE = 16;
const SPEC = `world:size=${SIDE}:length=2`;
const [ROWS, COLUMNS] = [SIDE, SIDE];

describe('videos of the generated world', () => {
  it('are those of its validation part, with masks that the pictures were drawn with', async () => {
    const { sequences, total, split, scoring, shortSide, notes } = await openVideos(SPEC);
    const videos = generatedVideos({ size: SIDE, length: 2, split: 'val' });
    expect([sequences.length, total, split, scoring, shortSide, notes]).toEqual([2, 2, 'val', 'davis-2017', SIDE, []]);
    for (const [index, sequence] of sequences.entries()) {
      const video = videos.video(index);
      expect(sequence.objects).toEqual(video.objects.map(({ instance }) => ({ id: instance, first: 0 })));
      expect(sequence.frames.length).toBe(video.frames);
      const { image, instance } = video.sample(5);
      // in any order, and again
      expect(await sequence.mask(5)).toEqual({ size: [SIDE, SIDE], ids: instance });
      expect(await sequence.read(5)).toEqual(image);
      expect(await sequence.mask(5)).toEqual({ size: [SIDE, SIDE], ids: instance });
      expect(await sequence.version(5)).toBe(video.version(5));
    }
  });

  it('are as many as asked for, evenly spaced or by name, of the grade and seed in the name', async () => {
    const some = await openVideos('world:easy:size=32:seed=4', { sequences: 2 });
    expect(some.sequences.map(({ name }) => name)).toEqual(['val-0', 'val-15']);
    expect(some.notes).toEqual(['2 of 30 sequences of world:easy:size=32:seed=4 val are used']);
    const { image } = generatedVideos({ grade: 'easy', size: 32, seed: 4, split: 'val' }).video(15).sample(2);
    expect(await some.sequences[1]!.read(2)).toEqual(image);
    // square frames stay square by DINO's rule
    expect((await openVideos('world:size=96:length=1')).shortSide).toBe(128);
    const named = await openVideos(SPEC, { sequences: ['val-1'] });
    expect(named.sequences.map(({ name }) => name)).toEqual(['val-1']);
    await expect(openVideos(SPEC, { sequences: ['val-3'] })).rejects.toMatchObject({ code: 'usage' });
    await expect(openVideos(SPEC, { split: 'train' })).rejects.toThrow(
      /--split says nothing about the generated world/,
    );
  });
});

/** Masks of all frames as if they had been found. */
async function found(sequence: VideoSequence, masks: AsyncIterable<Uint8Array>): Promise<FollowedSequence> {
  const packed = [];
  for await (const ids of masks) packed.push(packMask(ids));
  return { sequence, masks: masksOf(arraysOf(packed), ROWS * COLUMNS), grid: [ROWS, COLUMNS], seconds: 0 };
}

async function* truth(sequence: VideoSequence): AsyncGenerator<Uint8Array> {
  for (const frame of sequence.frames.keys()) yield (await sequence.mask(frame)).ids;
}

/** A model that is told what each pixel of the next frame shows: a token says which object it is on, and a little where. */
function oracle(sequence: VideoSequence): FeatureSession {
  let frame = 0;
  const dim = sequence.objects.length + 3;
  const run = async (): Promise<Pick<PatchFeatures, 'dim' | 'grid' | 'patches'>> => {
    const { ids } = await sequence.mask(frame++);
    const patches = new Float32Array(ids.length * dim);
    for (const [at, id] of ids.entries()) {
      patches[at * dim + id] = 1;
      patches[at * dim + dim - 2] = (0.1 * (at % COLUMNS)) / COLUMNS;
      patches[at * dim + dim - 1] = (0.1 * Math.floor(at / COLUMNS)) / ROWS;
    }
    return { dim, grid: [ROWS, COLUMNS], patches };
  };
  return { model: { run }, weights: { rasa: { planes: [] } } } as unknown as FeatureSession;
}

const SETTING = {
  look: { protocol: 'dino', shortSide: SIDE, patchSize: 1 },
  propagation: DINO_PROPAGATION,
  asked: {},
  differences: [],
  note: undefined,
} as const;

describe('objects of the generated world', () => {
  it('that are found where they are have J and F of 1 in every frame', async () => {
    const { sequences, scoring } = await openVideos(SPEC);
    for (const sequence of sequences.slice(0, 1)) {
      const objects = await scoreSequence(await found(sequence, truth(sequence)), scoring);
      expect(objects.map(({ object }) => object)).toEqual(sequence.objects.map(({ id }) => id));
      for (const { regions, boundaries } of objects) {
        // the first and the last frame are not scored
        expect(regions).toEqual(Array(22).fill(1));
        expect(boundaries).toEqual(Array(22).fill(1));
      }
    }
  });

  it('are followed without an error by features that know on which object they are', async () => {
    const videos = await openVideos(SPEC);
    const { sequences, scoring } = videos;
    for (const sequence of sequences.slice(1)) {
      const followed = await found(
        sequence,
        followSequence(videoPart(oracle(sequence), videos), cpuBackend, sequence, SETTING),
      );
      for (const frame of sequence.frames.keys()) {
        const { ids } = await sequence.mask(frame);
        expect(followed.masks.at(frame)).toEqual(ids);
      }
      for (const { regions, boundaries } of await scoreSequence(followed, scoring))
        expect(new Set([...regions, ...boundaries])).toEqual(new Set([1]));
    }
  });
});
