import { expect, test } from 'vitest';
import { embeddedImages } from '../../test/decode-png';
import { colormapColour } from '../drawing/colormap';
import { heatMapFigure } from './heat-map';

const panel = { values: [0, 1, 2, 3], grid: [2, 2] } as const;

test('cells are enlarged by whole factors in the colours of the domain', () => {
  const [map] = embeddedImages(heatMapFigure([panel], { panelWidth: 10, domain: [0, 3] }).svg);
  expect([map!.width, map!.height]).toEqual([20, 20]);
  const corner = (x: number, y: number) => [...map!.data.subarray((y * 20 + x) * 3, (y * 20 + x) * 3 + 3)];
  expect(corner(9, 9)).toEqual([...colormapColour('viridis', 0)]);
  expect(corner(10, 9)).toEqual([...colormapColour('viridis', 1 / 3)]);
  expect(corner(19, 19)).toEqual([...colormapColour('viridis', 1)]);
});

test('panels share one domain and one bar, the last picture, from high down to low', () => {
  const images = embeddedImages(heatMapFigure([panel, { ...panel, values: [6, 6, 6, 6] }], { panelWidth: 2 }).svg);
  expect(images).toHaveLength(3);
  expect([...images[1]!.data.subarray(0, 3)]).toEqual([...colormapColour('viridis', 1)]);
  const bar = images[2]!;
  expect([...bar.data.subarray(0, 3)]).toEqual([...colormapColour('viridis', 1)]);
  expect([...bar.data.subarray(-3)]).toEqual([...colormapColour('viridis', 0)]);
});

test('panels stand in rows of the given number of columns', () => {
  const { svg } = heatMapFigure([panel, panel, panel], { columns: 2, panelWidth: 100 });
  const places = [...svg.matchAll(/<image x="([\d.]+)" y="([\d.]+)" width="100" height="100"/g)].map((match) => [
    Number(match[1]),
    Number(match[2]),
  ]);
  expect(places).toEqual([
    [14, 6],
    [132, 6],
    [14, 124],
  ]);
});

test('refuses a map that does not fill its grid', () => {
  expect(() => heatMapFigure([{ ...panel, title: 'm', grid: [2, 3] }])).toThrow(/map 'm' has 4 values.*needs 6/);
  expect(() => heatMapFigure([])).toThrow(/no map/);
});
