import { describe, expect, it } from 'vitest';
import { createCamera } from './camera';
import { type GeneratedPair, generatedPairs } from './generated-pairs';
import { generatedScenes } from './generated-scenes';
import { toWorld } from './placed-toy';
import type { RenderedScene } from './render-scene';
import { TOYS } from './toys';

const SIZE = 64;
const scenes = generatedScenes({ length: 120, size: SIZE, seed: 3, split: 'val' });
const pairs = generatedPairs(scenes, { pairs: 20 });
const samples = new Map<number, RenderedScene>();

function sampleOf(index: number): RenderedScene {
  const sample = samples.get(index) ?? scenes.sample(index);
  samples.set(index, sample);
  return sample;
}

/** Both ends of a pair: the picture, and where its points are. */
const ends = ({ source, target, points }: GeneratedPair) =>
  [
    { index: source, points: points.map((point) => ({ name: point.name, at: point.source })) },
    { index: target, points: points.map((point) => ({ name: point.name, at: point.target })) },
  ] as const;

describe('pairs of the generated world', () => {
  it('are of one class and two pictures, each two pictures at most once, with at least three points', () => {
    expect(pairs.length).toBeGreaterThan(300);
    for (const { category, source, target, points } of pairs) {
      expect([scenes.label(source), scenes.label(target)]).toEqual([category, category]);
      expect(source).not.toBe(target);
      expect(points.length).toBeGreaterThanOrEqual(3);
    }
    const names = pairs.map(({ source, target }) => `${Math.min(source, target)} ${Math.max(source, target)}`);
    expect(new Set(names).size).toBe(pairs.length);
  });

  it('have points that are the same place of the toy in both pictures, inside them, with nothing in front', () => {
    for (const pair of pairs) {
      for (const { index, points } of ends(pair)) {
        const { camera, objects } = scenes.scene(index);
        const { project } = createCamera(camera);
        const seen = new Map(sampleOf(index).objects[0]!.keypoints.map((point) => [point.name, point.visible]));
        for (const { name, at } of points) {
          const { u, v } = project(toWorld(objects[0]!, TOYS[objects[0]!.toy]!.keypoints[name]!));
          expect(at[0]).toBeCloseTo(((u + 1) / 2) * SIZE, 9);
          expect(at[1]).toBeCloseTo(((1 - v) / 2) * SIZE, 9);
          expect(Math.min(...at)).toBeGreaterThanOrEqual(0);
          expect(Math.max(...at)).toBeLessThan(SIZE);
          expect(seen.get(name), name).toBe(true);
        }
      }
    }
  });

  it('leave out what nobody could tell from its like: a fin of a rocket whose window is not seen', () => {
    const rockets = scenes.classes.findIndex((name) => name.endsWith('rocket'));
    let fins = 0;
    for (const pair of pairs.filter(({ category }) => category === rockets)) {
      if (!pair.points.some(({ name }) => name.endsWith('fin'))) continue;
      fins++;
      for (const { index } of ends(pair)) {
        const { keypoints } = sampleOf(index).objects[0]!;
        expect(keypoints.find(({ name }) => name === 'window')!.visible).toBe(true);
      }
    }
    expect(fins).toBeGreaterThan(5);
  });

  it('know each toldBy of a toy as one of its keypoints', () => {
    for (const { keypoints, toldBy = {} } of TOYS) {
      expect(Object.keys(keypoints)).toEqual(
        expect.arrayContaining([...Object.keys(toldBy), ...Object.values(toldBy).flat()]),
      );
    }
  });

  it('have the viewpoint of the angle that the toy is turned by against the camera', () => {
    for (const { source, target, turn, viewpoint } of pairs) {
      // The camera's direction in the toy's own frame, on the floor.
      const directions = [source, target].map((index) => {
        const { camera, objects } = scenes.scene(index);
        const { x, z, yaw } = objects[0]!;
        const [east, north] = [camera.eye[0] - x, camera.eye[2] - z];
        const length = Math.hypot(east, north);
        const [sin, cos] = [Math.sin(yaw), Math.cos(yaw)];
        return [(cos * east - sin * north) / length, (sin * east + cos * north) / length] as const;
      });
      const [[a, b], [c, d]] = directions as [readonly [number, number], readonly [number, number]];
      expect(Math.cos((turn * Math.PI) / 180)).toBeCloseTo(a * c + b * d, 9);
      expect(viewpoint).toBe(turn < 30 ? 0 : turn < 75 ? 1 : 2);
    }
    expect(new Set(pairs.map(({ viewpoint }) => viewpoint))).toEqual(new Set([0, 1, 2]));
  });

  it('have the box of the visible pixels of the target subject', () => {
    for (const { target, targetBox } of pairs) {
      const { instance } = sampleOf(target);
      const own = [...instance.keys()].filter((i) => instance[i] === 1);
      const [xs, ys] = [own.map((i) => i % SIZE), own.map((i) => Math.floor(i / SIZE))];
      expect(targetBox).toEqual([Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1]);
    }
  });

  it('are the same on every call, and others for another seed', () => {
    expect(generatedPairs(scenes, { pairs: 20 })).toEqual(pairs);
    expect(generatedPairs(scenes, { pairs: 20, seed: 1 })).not.toEqual(pairs);
  });

  it('are as few of each class and viewpoint, of as few pictures and with as many points as asked', () => {
    const few = generatedPairs(scenes, { pairs: 2, pictures: 60, points: 5 });
    const counts = new Map<string, number>();
    for (const { category, viewpoint, source, target, points } of few) {
      counts.set(`${category} ${viewpoint}`, (counts.get(`${category} ${viewpoint}`) ?? 0) + 1);
      expect(Math.max(source, target)).toBeLessThan(60);
      expect(points.length).toBeGreaterThanOrEqual(5);
    }
    expect(Math.max(...counts.values())).toBe(2);
  });
});

it.each([[{ pairs: 0 }], [{ pictures: 1 }], [{ points: 0 }], [{ seed: -1 }]])('refuses %j', (options) => {
  expect(() => generatedPairs(scenes, options)).toThrow(expect.objectContaining({ code: 'argument' }));
});
