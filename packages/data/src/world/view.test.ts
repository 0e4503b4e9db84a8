import { expect, it } from 'vitest';
import { createCamera } from './camera';
import { drawScene } from './draw-scene';
import { GRADES } from './grades';
import type { Scene } from './scene';
import { createTracer } from './tracer';
import { lookAt, surfaceOf, wholeFilm } from './view';

const scenes = Array.from({ length: 24 }, (_, index) => drawScene(index, 40, 3, GRADES[index % 3]!));

/** The scene from another place. */
const seenFrom = (scene: Scene, eye: Scene['camera']['eye']): Scene => ({ ...scene, camera: { ...scene.camera, eye } });

it.each([
  ['where the scene puts it', scenes],
  ['within the toys', scenes.map((scene) => seenFrom(scene, [0.3, 0.4, 0.2]))],
  ['beside them, some behind it', scenes.map((scene) => seenFrom(scene, [1.2, 0.3, 0.9]))],
])('shows what each ray by itself meets, bit for bit, with the camera %s', (_, seen) => {
  const size = 37;
  const ray = new Float64Array(6);
  const hit = { t: 0, object: -1, part: 0 };
  for (const scene of seen) {
    const [tracer, camera] = [createTracer(scene), createCamera(scene.camera)];
    const { t, surface } = lookAt(tracer, camera, wholeFilm(size));
    const expected = { t: new Float64Array(size * size), surface: new Uint16Array(size * size) };
    for (let i = 0; i < size * size; i++) {
      const [x, y] = [i % size, Math.floor(i / size)];
      camera.ray((2 * (x + 0.5)) / size - 1, 1 - (2 * (y + 0.5)) / size, ray);
      tracer.trace(ray, hit);
      expected.t[i] = hit.t;
      expected.surface[i] = hit.object < 0 ? 0 : surfaceOf(hit.object, hit.part);
    }
    expect({ t, surface }).toEqual(expected);
  }
});

it('looks at chosen pixels only, with the rays of each together', () => {
  const [tracer, camera] = [createTracer(scenes[0]!), createCamera(scenes[0]!.camera)];
  const whole = lookAt(tracer, camera, wholeFilm(32));
  // Quarters of a pixel of 16 are centres of pixels of 32.
  const offsets = [
    [0.25, 0.25],
    [0.75, 0.75],
  ] as const;
  const chosen = new Int32Array(256).fill(-1);
  const pixels = [8 * 16 + 8, 5 * 16 + 9];
  for (const [place, pixel] of pixels.entries()) chosen[pixel] = place;
  const { t } = lookAt(tracer, camera, { size: 16, offsets, chosen, count: 2 });
  const expected = pixels.flatMap((pixel) => {
    const corner = 2 * (pixel % 16) + 64 * Math.floor(pixel / 16);
    return [whole.t[corner], whole.t[corner + 33]];
  });
  expect([...t]).toEqual(expected);
  expect(t).not.toContain(Number.POSITIVE_INFINITY);
});
