/** PCA maps and attention of pictures as files: a figure of each kind over all of them, and single maps. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  attentionFigure,
  attentionHead,
  encodePng,
  meanAttention,
  type PcaRecipeName,
  pcaFigure,
  pcaMaps,
  type RgbImage,
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

/** Writes `pca.svg`, `pca.png`, `attention.svg`, `attention.png`, and per picture `<name>-pca-<recipe>.png`, `<name>-attention-{mean,head-<h>}.png`. */
export async function writeLooks(
  folder: string,
  looks: readonly Look[],
  { recipes, joint, mass }: LookOptions,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const figures = {
    pca: pcaFigure(
      looks.map(({ pca }) => pca),
      { recipes, joint },
    ),
    attention: attentionFigure(
      looks.map(({ attention }) => attention),
      { mass },
    ),
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

function* singleMaps(looks: readonly Look[], recipes: readonly PcaRecipeName[]): Generator<[string, RgbImage]> {
  for (const { name, pca, attention } of looks) {
    for (const recipe of recipes) {
      const { maps } = pcaMaps([pca.features], { recipe });
      yield [`${name}-pca-${recipe}`, renderPcaMap(maps[0]!, pca.image)];
    }
    const { image, grid } = attention;
    yield [`${name}-attention-mean`, renderAttention(image, meanAttention(attention.attention), grid)];
    for (let head = 0; head < attention.attention.heads; head++) {
      const map = attentionHead(attention.attention, head);
      yield [`${name}-attention-head-${head}`, renderAttention(image, map, grid)];
    }
  }
}
