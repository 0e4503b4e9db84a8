/** Pairs of the generated world: two specimens of a class with the key points that are seen in both, whose truth is exact. */
import { generatedPairs, generatedScenes, generatedWorld, recogniseSource, worldOptions } from '@franca/data';
import { TrainError } from '../errors';
import type { PairSet, SetPair, Size } from './pair-set';
import { worldImages } from './world-images';

/** Pictures of the generated world that pairs are drawn from. */
const WORLD_PICTURES = 400;

/** Of its validation part. @throws TrainError `data` where it is too small to have a pair */
export async function worldPairs(spec: string, dataset: string): Promise<PairSet> {
  const { target } = await recogniseSource(spec);
  const options = worldOptions(target, 'val');
  const world = generatedWorld(options);
  const drawn = generatedPairs(generatedScenes(options), { pictures: WORLD_PICTURES });
  if (drawn.length === 0)
    throw new TrainError(
      'data',
      `${spec} has no two pictures of a class with common key points; ask for more pictures`,
    );
  const size: Size = [options.size ?? 128, options.size ?? 128];
  const pairs = drawn.map(
    ({ category, viewpoint, source, target, points, targetBox }): SetPair => ({
      name: `${world.key(source)}-${world.key(target)}:${world.classes[category]}`,
      category,
      viewpoint,
      source,
      target,
      sourceSize: size,
      targetSize: size,
      points,
      targetBox,
    }),
  );
  const length = Math.min(WORLD_PICTURES, world.length);
  const pictures = worldImages(world, { dataset, split: 'val', length });
  return { pictures, pairs, total: pairs.length, classes: world.classes };
}
