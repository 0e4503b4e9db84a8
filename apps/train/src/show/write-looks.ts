/** PCA maps and attention of pictures as files: a figure of each kind over all of them, and single maps. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  attentionFigure,
  attentionMaps,
  encodePng,
  type PcaRecipeName,
  type PixelImage,
  pcaFigure,
  pcaMaps,
  renderAttention,
  renderPcaMap,
} from '@franca/viz';
import { writeFigure } from '@franca/viz/node';
import type { Look } from './picture-features';

export interface LookOptions {
  readonly recipes: readonly PcaRecipeName[];
  /** One PCA over all pictures. */
  readonly joint: boolean;
  /** Share of attention that the masked picture keeps. */
  readonly mass: number;
}

/** Writes `pca.svg`, `pca.png`, `attention.svg`, `attention.png`, where there is attention, and per picture `<name>-pca-<recipe>.png`, `<name>-attention-{mean,head-<h>}.png`. */
export async function writeLooks(
  folder: string,
  looks: readonly Look[],
  { recipes, joint, mass }: LookOptions,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const images = looks.map(({ image }) => image);
  const features = looks.map((look) => look.features);
  const labels = looks.map(({ label }) => label);
  const attention = looks.flatMap((look) => look.attention ?? []);
  const figures = {
    pca: pcaFigure(images, features, { recipes, joint, labels }),
    ...(attention.length > 0 && { attention: attentionFigure(images, attention, { mass, labels }) }),
  };
  const written: string[] = [];
  for (const [name, figure] of Object.entries(figures)) {
    for (const ending of ['svg', 'png']) {
      const path = join(folder, `${name}.${ending}`);
      await writeFigure(path, figure);
      written.push(path);
    }
  }
  for (const [name, image] of singleMaps(looks, recipes)) {
    const path = join(folder, `${name}.png`);
    await writeFile(path, encodePng(image));
    written.push(path);
  }
  return written;
}

function* singleMaps(looks: readonly Look[], recipes: readonly PcaRecipeName[]): Generator<[string, PixelImage]> {
  for (const { name, image, features, attention } of looks) {
    for (const recipe of recipes) {
      for (const map of pcaMaps(features, { recipe }).maps) yield [`${name}-pca-${recipe}`, renderPcaMap(map, image)];
    }
    for (const { mean, heads, grid } of attention ? attentionMaps(attention) : []) {
      yield [`${name}-attention-mean`, renderAttention(image, mean, grid)];
      for (const [head, map] of heads.entries())
        yield [`${name}-attention-head-${head}`, renderAttention(image, map, grid)];
    }
  }
}
