// Where the circles go: variables on top, under each what it reaches, layer by layer; what nobody reaches stands at the bottom.

const TOP = 24;
const GAP = 14;
const ROOT_GAP = 10;
const ROOT_ROW = 34;

/** `{places: Map name -> {x, y, r}, roots: [{var, to, x, y, width}], height, lost}`; `lost` is where the unreachable ones begin. */
export function layOut(picture, width) {
  const { objects } = picture;
  const r = objects.length > 120 ? 8 : objects.length > 60 ? 11 : objects.length > 24 ? 14 : 18;
  const cell = 2 * r + GAP;
  const columns = Math.max(4, Math.floor((width - GAP) / cell));
  const layers = layered(picture);
  const places = new Map();
  const roots = rootBoxes(picture.roots, width);
  let y = Math.max(TOP, ...roots.map((root) => root.y)) + 20 + cell;
  let lost = null;
  for (const layer of layers) {
    if (layer.lost) {
      lost = y - r - 4;
      y += 22;
    }
    const rows = Math.ceil(layer.length / columns);
    const perRow = Math.min(columns, layer.length);
    // Under whoever points to it, in the order of the parents; a row that is not full is spread over the width.
    if (!layer.folding) layer.sort((a, b) => (a.wish ?? Infinity) - (b.wish ?? Infinity) || a.order - b.order);
    layer.forEach(({ name, children }, index) => {
      const row = Math.floor(index / perRow);
      const inRow = Math.min(perRow, layer.length - row * perRow);
      const pitch = Math.min(cell * 2.2, (width - GAP) / inRow);
      const x = width / 2 + ((index % perRow) - (inRow - 1) / 2) * pitch;
      places.set(name, { x, y: y + row * cell, r });
      children.forEach((child) => {
        child.wish = child.wish ?? x;
      });
    });
    y += rows * cell + r;
  }
  return { places, roots, height: Math.max(y + 4, 220), lost };
}

/** Boxes of variables, in as many centred rows as they need. */
function rootBoxes(roots, width) {
  const letters = (root) => Math.min(width - 12, 9 * (root.to ? root.var.length || 5 : root.var.length + 6) + 16);
  const rows = [[]];
  let used = 0;
  for (const root of roots.filter(({ var: name, to }) => name || to)) {
    const wide = letters(root);
    if (used > 0 && used + wide > width - 12) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1).push({ ...root, width: wide });
    used += wide + ROOT_GAP;
  }
  return rows.flatMap((row, number) => {
    let x = Math.max(6, (width - row.reduce((sum, root) => sum + root.width + ROOT_GAP, -ROOT_GAP)) / 2);
    return row.map((root) => {
      const box = { ...root, x: x + root.width / 2, y: TOP + number * ROOT_ROW };
      x += root.width + ROOT_GAP;
      return box;
    });
  });
}

/** Objects by how many pointers away from a variable they are; the last layer is what nobody reaches. */
function layered({ objects, roots }) {
  const nodes = new Map(objects.map((object, order) => [object.name, { name: object.name, to: object.to, order, children: [] }]));
  const layers = [];
  let frontier = [...new Set(roots.map((root) => root.to).filter((name) => nodes.has(name)))].map((name) => nodes.get(name));
  const seen = new Set(frontier);
  while (frontier.length) {
    layers.push(frontier);
    const next = [];
    for (const node of frontier) {
      for (const name of node.to) {
        const child = nodes.get(name);
        if (!child || seen.has(child)) continue;
        seen.add(child);
        node.children.push(child);
        next.push(child);
      }
    }
    frontier = next;
  }
  const lost = [...nodes.values()].filter((node) => !seen.has(node));
  const rows = folded(layers);
  if (lost.length) {
    lost.lost = true;
    rows.push(lost);
  }
  return rows;
}

/** A long list would be a tall tower: layers of one stand side by side, eight in a row. */
function folded(layers) {
  const result = [];
  for (const layer of layers) {
    const last = result.at(-1);
    if (layer.length === 1 && last && last.folding && last.length < 8) last.push(layer[0]);
    else {
      const copy = [...layer];
      copy.folding = layer.length === 1;
      result.push(copy);
    }
  }
  return result;
}
