/**
 * Describes any data set of images: its parts and classes, the size of its images, the mean and deviation of each channel
 * (what a classifier would normalise with), and the images that cannot be used.
 *
 *   npx tsx examples/dataset-stats.ts [folder | shards.tar | hf://owner/name | flowers | ...] [images to look at]
 */
import {
  createSampler,
  DataError,
  type ImageSource,
  isImageError,
  openSplits,
  type PixelImage,
  prefetch,
  readImage,
} from '@franca/data';

const [spec = 'world:length=200:size=64', limit = '512'] = process.argv.slice(2);

/** At most `limit` images in random order; what cannot be decoded is named and left out. */
async function* look(source: ImageSource, limit: number): AsyncGenerator<PixelImage> {
  const order = createSampler({ length: source.length, seed: 0, runs: source.runs });
  const places = Array.from({ length: Math.min(limit, source.length) }, (_, place) => order.draw(place).index);
  const load = (index: number): Promise<PixelImage | undefined> =>
    readImage(source, index).catch((error: unknown) => {
      if (!isImageError(error)) throw error;
      console.log(`  unusable: ${source.key(index)}: ${error.code}: ${error.message}`);
      return undefined;
    });
  for await (const image of prefetch(places, load, { inFlight: 8, ahead: 32 })) if (image) yield image;
}

async function describe(source: ImageSource): Promise<void> {
  console.log(`${source.name}: ${source.length} images, ${source.classes?.length ?? 'no'} classes`);
  for (const note of [...(source.notes ?? []), source.attribution ?? []].flat()) console.log(`  ${note}`);
  const sides: number[] = [];
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  let pixels = 0;
  for await (const image of look(source, Number(limit))) {
    sides.push(Math.min(image.width, image.height));
    pixels += image.width * image.height;
    image.data.forEach((value, at) => {
      const channel = at % image.channels;
      if (channel === 3) return;
      sums[channel]! += value / 255;
      squares[channel]! += (value / 255) ** 2;
    });
  }
  sides.sort((a, b) => a - b);
  const mean = sums.map((sum) => sum / pixels);
  const deviation = squares.map((sum, channel) => Math.sqrt(sum / pixels - mean[channel]! ** 2));
  const text = (values: number[]): string => values.map((value) => value.toFixed(4)).join(', ');
  console.log(`  short side: ${sides[0]} to ${sides.at(-1)}, median ${sides[sides.length >> 1]}`);
  console.log(`  mean ${text(mean)}\n  standard deviation ${text(deviation)}`);
}

try {
  const { train, val, origin, close } = await openSplits(spec);
  console.log(origin);
  await describe(train);
  await describe(val);
  await close();
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
