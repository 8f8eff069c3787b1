export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const colors = [
  '#3274d9',
  '#e0752d',
  '#37872d',
  '#c4162a',
  '#8f3bb8',
  '#b8860b',
  '#0a8f8f',
  '#666666',
];

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

interface TextStyle {
  readonly size?: number;
  readonly color?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly weight?: 'bold';
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 11, color = '#333', anchor = 'start', weight = 'normal' } = style;
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${color}" text-anchor="${anchor}" font-weight="${weight}">${escaped(content)}</text>`;
}

export const rectangle = ({ x, y, width, height }: Box, fill: string, stroke = 'none') =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}" stroke="${stroke}"/>`;

export const polyline = (points: readonly (readonly [number, number])[], color: string) =>
  `<polyline points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}" fill="none" stroke="${color}" stroke-width="1.2"/>`;

const round = (value: number) => Math.round(value * 10) / 10;

export interface Picture {
  /** For screen readers. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

export function document({ title, width, height }: Picture, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif">
<title>${escaped(title)}</title>
${rectangle({ x: 0, y: 0, width, height }, '#f4f5f5')}
${parts.join('\n')}
</svg>
`;
}
