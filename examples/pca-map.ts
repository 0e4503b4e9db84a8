/**
 * PCA maps of features that no network made. Each 8 x 8 patch of a picture is described by hand (mean colour, contrast,
 * edges across and along), and the same two-stage PCA that colours a ViT's patches finds the object and its parts.
 *
 *   npx tsx examples/pca-map.ts [figure.png] [photo.jpg]
 */
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage, type PixelImage } from '@franca/data';
import { type PatchFeatures, pcaFigure, pcaMaps, resizeImage, rgbImage } from '@franca/viz';
import { writeFigure } from '@franca/viz/node';

const side = 224;
const patch = 8;
const grid = side / patch;
const [output = join(tmpdir(), 'pca-map.png'), photo] = process.argv.slice(2);

/** A ball in front of haze that goes from sky to grass; stripes lie on its upper part and stand on its lower part. */
function paintedScene(): PixelImage {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const haze = [120 - y / 4, 180 - y / 6 + 6 * Math.sin(x * 1.7 + y * 2.3), 225 - y / 1.5];
      const stripe = Math.floor((y < 105 ? y : x) / 4) % 2;
      const ball = stripe === 0 ? [215, 60, 50] : [240, 215, 190];
      data.set((isBall(x, y) ? ball : haze).map(Math.round), (y * side + x) * 3);
    }
  }
  return rgbImage(side, side, data);
}

function isBall(x: number, y: number): boolean {
  return (x - 112) ** 2 + (y - 120) ** 2 < 58 ** 2;
}

/** Eight numbers a patch, each scaled to unit variance over the picture. */
function describe(image: PixelImage): PatchFeatures {
  const rows = Array.from({ length: grid * grid }, (_, p) =>
    describePatch(image, (p % grid) * patch, Math.floor(p / grid) * patch),
  );
  const dim = rows[0]!.length;
  const columns = Array.from({ length: dim }, (_, d) => rows.map((row) => row[d]!));
  const scales = columns.map((values) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
  });
  const patches = Float32Array.from(rows.flatMap((row) => row.map((value, d) => value / scales[d]!)));
  return { patches, grid: [grid, grid], dim };
}

function describePatch(image: PixelImage, left: number, top: number): number[] {
  const [sum, squares, edges] = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0],
  ];
  for (let y = top; y < top + patch; y++) {
    for (let x = left; x < left + patch; x++) {
      for (let c = 0; c < 3; c++) {
        const value = image.data[(y * side + x) * 3 + c]!;
        sum[c]! += value;
        squares[c]! += value * value;
      }
      const green = (dx: number, dy: number) => image.data[((y + dy) * side + x + dx) * 3 + 1]!;
      if (x + 1 < side) edges[0]! += Math.abs(green(1, 0) - green(0, 0));
      if (y + 1 < side) edges[1]! += Math.abs(green(0, 1) - green(0, 0));
    }
  }
  const pixels = patch * patch;
  const contrast = squares.map((square, c) => Math.sqrt(Math.max(0, square / pixels - (sum[c]! / pixels) ** 2)));
  return [...sum.map((value) => value / pixels), ...contrast, ...edges.map((value) => value / pixels)];
}

const image = photo
  ? resizeImage(await decodeImage(await readFile(photo)), { width: side, height: side }, 'area')
  : paintedScene();
const features = describe(image);
const { maps, explained } = pcaMaps(features);
const foreground = Array.from(maps[0]!.foreground.keys()).filter((p) => maps[0]!.foreground[p]);
console.log(`foreground: ${foreground.length} of ${grid * grid} patches`);
if (!photo) {
  const onBall = foreground.filter((p) => isBall(((p % grid) + 0.5) * patch, (Math.floor(p / grid) + 0.5) * patch));
  console.log(`of these on the ball: ${onBall.length}`);
}
console.log(`variance in red, green, blue: ${explained.map((share) => `${Math.round(share * 100)} %`).join(', ')}`);

const subtitle = 'colour, contrast and edges of 8 x 8 patches';
await writeFigure(output, pcaFigure([image], features, { recipes: ['paper', 'mid', 'capi'], cellSize: 224, subtitle }));
console.log(`figure: ${output}`);
