/**
 * Why SimCLR jitters colours (Chen et al. 2020, section 3.1): two crops of one picture share their colours, so a network
 * could tell pairs apart by colour histograms and learn nothing about shapes. Here a plain histogram plays the network: for
 * one view of each of 100 generated pictures it looks for the other view among all of them.
 *
 *   npx tsx examples/simclr-views.ts
 */
import { createRandom, drawView, generatedWorld, renderView, type ViewRecipe } from '@franca/data';

const simclr: ViewRecipe = {
  size: 48,
  scale: [0.08, 1],
  ratio: [3 / 4, 4 / 3],
  flipProbability: 0.5,
  jitterProbability: 0.8,
  jitter: { brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 },
  grayscaleProbability: 0.2,
  blurProbability: 0.5,
  blurSigma: [0.1, 2],
  solarizeProbability: 0,
  solarizeThreshold: 128,
};
const recipes: Record<string, ViewRecipe> = {
  'crop only': { ...simclr, jitterProbability: 0, grayscaleProbability: 0, blurProbability: 0 },
  'crop and colour': simclr,
};

const world = generatedWorld({ length: 100, size: 96 });
const pictures = Array.from({ length: world.length }, (_, index) => world.sample(index).image);

/** Share of pixels in each of 4 x 4 x 4 colours. */
function histogram(pixels: Uint8Array): Float64Array {
  const counts = new Float64Array(64);
  for (let i = 0; i < pixels.length; i += 3) {
    const [red, green, blue] = [pixels[i]! >> 6, pixels[i + 1]! >> 6, pixels[i + 2]! >> 6];
    counts[16 * red + 4 * green + blue]! += 3 / pixels.length;
  }
  return counts;
}

/** Histograms of each picture's view number `stream`. */
const histograms = (recipe: ViewRecipe, stream: number): Float64Array[] =>
  pictures.map((picture, position) => {
    const random = createRandom({ seed: 0, position, stream });
    return histogram(renderView(picture, drawView(recipe, picture.width, picture.height, random)).data);
  });

for (const [name, recipe] of Object.entries(recipes)) {
  const [first, second] = [histograms(recipe, 0), histograms(recipe, 1)];
  const found = first.filter((one, index) => {
    const distances = second.map((other) => one.reduce((sum, share, bin) => sum + Math.abs(share - other[bin]!), 0));
    return distances.indexOf(Math.min(...distances)) === index;
  });
  console.log(`${name}: histograms find the other view of ${found.length} of ${pictures.length} pictures`);
}
