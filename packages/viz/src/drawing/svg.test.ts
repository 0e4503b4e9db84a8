import { expect, test } from 'vitest';
import { element, escapeText, figure, label, round } from './svg';

test('text can neither end an attribute nor open an element', () => {
  const hostile = `"><script>alert('1')</script>\u0000&`;
  const made = element('g', { 'aria-label': hostile }, label(0, 0, hostile));
  expect(made).not.toContain('<script');
  expect(made).not.toContain('\u0000');
  expect(escapeText(hostile)).toBe('&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;');
});

test('numbers have at most two decimals and no minus zero', () => {
  expect([1 / 3, -0.001, 2, 1e3 + 0.005].map(round)).toEqual(['0.33', '0', '2', '1000.01']);
});

test('a figure is a whole document with its size, ink and name', () => {
  const { svg, width, height } = figure({ width: 10.2, height: 5 }, 'A & B', []);
  expect([width, height]).toEqual([11, 5]);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 11 5" width="11" height="5"/);
  expect(svg).toContain('fill="currentColor"');
  expect(svg).toContain('aria-label="A &amp; B"');
});
