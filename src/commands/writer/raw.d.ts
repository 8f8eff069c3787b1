declare module '*?raw' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: an import with ?raw has only a default export.
  export default text;
}
