/** Pictures for the page: what one setting found in some pictures, hits and misses. */
import { type DiscoveryItem, discoveryFigure, type Figure } from '@franca/viz';
import type { FeatureSession } from '../../features/session';
import { type DiscoveredSet, discoverPicture } from './discover-set';
import type { Scored, ScoredPicture } from './score';
import { describeSetting, type Method } from './settings';

/** Hits, and as many misses. */
const SHOWN = 3;

const MAPS: Readonly<Record<Method, readonly string[]>> = {
  tokencut: ['similarity to the seed', 'eigenvector'],
  lost: ['similarity to the seed', 'sum of similarities'],
  'dino-seg': ['attention'],
};

/** The pictures are run through the model again: what is drawn of them is not kept. */
export async function shownPictures(
  session: FeatureSession,
  { set }: DiscoveredSet,
  { setting, pictures, score }: Scored,
): Promise<Figure> {
  const items: DiscoveryItem[] = [];
  for (const { index, box, truth, iou, hit } of someOfEach(pictures)) {
    const { image, grid, found } = await discoverPicture(session, set, index, [setting]);
    const { seed, affinity, map } = found[0]!;
    items.push({
      image,
      label: `${hit ? 'hit' : 'miss'}, IoU ${iou.toFixed(2)}`,
      truth,
      found: box,
      patchSize: session.model.config.patchSize,
      grid,
      seed,
      maps: setting.method === 'dino-seg' ? [map] : [affinity, map],
    });
  }
  return discoveryFigure(items, {
    title: describeSetting(setting),
    subtitle: `CorLoc ${(100 * score.corLoc).toFixed(1)} %, ${score.hits} of ${score.images} pictures`,
    columns: MAPS[setting.method],
    cellSize: 180,
    density: 1,
  });
}

/** Evenly spaced, so that they are none that somebody chose. */
function someOfEach(pictures: readonly ScoredPicture[]): ScoredPicture[] {
  const spaced = (all: readonly ScoredPicture[]): ScoredPicture[] =>
    Array.from(
      { length: Math.min(SHOWN, all.length) },
      (_, i) => all[Math.floor((i * all.length) / Math.min(SHOWN, all.length))]!,
    );
  return [...spaced(pictures.filter(({ hit }) => hit)), ...spaced(pictures.filter(({ hit }) => !hit))];
}
