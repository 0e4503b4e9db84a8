/**
 * Depth of the generated world, exact in every pixel. A toy is one metre high.
 *
 * There is no reading where there is no surface, in the sky, nor beyond ten metres, where NYU's readings end: the floor of a scene without a wall reaches to the horizon.
 */
import {
  type GeneratedWorld,
  type GeneratedWorldOptions,
  generatedWorld,
  recogniseSource,
  worldOptions,
} from '@franca/data';
import type { DepthImages, DepthMap, DepthSet } from './depth-set';
import { WORLD_SIDE, worldImages } from './world-images';

/** Of a world that does not say how many pictures it has; of a larger one no more pictures. */
const [TRAIN, TEST] = [400, 100];

const FARTHEST = 10;

/** What is kept of depth that was drawn, in bytes: a probe that learns asks for it again in every epoch. */
const MAX_KEPT_BYTES = 2 ** 27;

/** @param side of the pictures, where the world does not say */
export async function worldDepth(spec: string, dataset: string, side: number = WORLD_SIDE): Promise<DepthSet> {
  const { target } = await recogniseSource(spec);
  const part = (split: 'train' | 'val', most: number): GeneratedWorldOptions => {
    const { size = side, length = most, ...options } = worldOptions(target, split);
    return { ...options, size, length: Math.min(length, most) };
  };
  const [train, test] = [part('train', TRAIN), part('val', TEST)].map((options) => generatedWorld(options));
  return {
    train: depthImages(train!, dataset, 'train'),
    test: depthImages(test!, dataset, 'val'),
    async [Symbol.asyncDispose]() {
      await train!.close?.();
      await test!.close?.();
    },
  };
}

function depthImages(world: GeneratedWorld, dataset: string, split: string): DepthImages {
  const kept = new Map<number, DepthMap>();
  return {
    ...worldImages(world, { dataset, split }),
    depthVersion: world.version,
    async depth(index) {
      const map = kept.get(index) ?? depthOf(world, index);
      if ((kept.size + 1) * map.data.byteLength <= MAX_KEPT_BYTES) kept.set(index, map);
      return map;
    },
  };
}

function depthOf(world: GeneratedWorld, index: number): DepthMap {
  const { depth, image } = world.sample(index);
  const data = depth.map((distance) => (distance <= FARTHEST ? distance : 0));
  return { width: image.width, height: image.height, data };
}
