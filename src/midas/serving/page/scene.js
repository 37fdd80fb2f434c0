// The picture in three dimensions: a grid on the map, its photograph on the grid, drawn by WebGL; no library.
import { unitAt } from "./colours.js";

const MOST_CELLS = 320;
// Neighbours whose distances differ by more aren't one surface.
const JUMP = 1.06;

const VERTEX = `attribute vec3 place; attribute vec2 spot; uniform mat4 view; varying vec2 at;
void main() { at = spot; gl_Position = view * vec4(place, 1.0); }`;
const FRAGMENT = `precision mediump float; uniform sampler2D photo; varying vec2 at;
void main() { gl_FragColor = texture2D(photo, at); }`;

/** Shows a map in a canvas. */
export class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
    this.angles = [0, 0];
    this.nearer = 1;
    if (this.gl) this.prepare();
    this.listen();
  }

  prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.getExtension("OES_element_index_uint");
    this.program = program;
    this.places = gl.createBuffer();
    this.spots = gl.createBuffer();
    this.triangles = gl.createBuffer();
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const [name, value] of [["MIN_FILTER", gl.LINEAR], ["WRAP_S", gl.CLAMP_TO_EDGE], ["WRAP_T", gl.CLAMP_TO_EDGE]]) {
      gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], value);
    }
    gl.enable(gl.DEPTH_TEST);
  }

  listen() {
    const fingers = new Map();
    this.canvas.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const from = fingers.get(event.pointerId);
      if (!from) return;
      const apart = spread(fingers);
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      if (fingers.size === 1) this.turn((event.clientX - from[0]) / 400, (event.clientY - from[1]) / 400);
      else if (apart) this.approach(spread(fingers) / apart);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(kind, (event) => fingers.delete(event.pointerId));
    }
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.approach(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    }, { passive: false });
    this.canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, -0.05], ArrowDown: [0, 0.05] };
      if (event.key in steps) this.turn(...steps[event.key]);
      else if (event.key === "+" || event.key === "=") this.approach(1.1);
      else if (event.key === "-") this.approach(1 / 1.1);
      else return;
      event.preventDefault();
    });
  }

  turn(yaw, pitch) {
    const within = (angle) => Math.max(-1, Math.min(1, angle));
    this.angles = [within(this.angles[0] + yaw), within(this.angles[1] + pitch)];
    this.later();
  }

  approach(times) {
    this.nearer = Math.max(0.3, Math.min(4, this.nearer * times));
    this.later();
  }

  /** Show a map: `fov` across the longer side in degrees, `ratio` how many times as far the farthest is as the nearest. */
  show(map, photo, fov, ratio) {
    this.asked = [map, photo, fov, ratio];
    this.later();
  }

  /** With the next frame: sliders and keys ask more often than slow machines draw. */
  later() {
    if (!this.gl || this.coming) return;
    this.coming = requestAnimationFrame(() => {
      this.coming = null;
      if (this.asked) this.build(...this.asked);
      this.asked = null;
      this.draw();
    });
  }

  build(map, photo, fov, ratio) {
    const { gl } = this;
    const step = Math.max(1, Math.max(map.width, map.height) / MOST_CELLS);
    const [columns, rows] = [map.width, map.height].map((side) => Math.max(2, Math.floor(side / step)));
    const unit = unitAt(map);
    const slope = Math.tan((fov * Math.PI) / 360);
    const longer = Math.max(map.width, map.height);
    const places = new Float32Array(3 * columns * rows);
    const spots = new Float32Array(2 * columns * rows);
    const depths = new Float32Array(columns * rows);
    for (let row = 0, vertex = 0; row < rows; row++) {
      const y = Math.round((row * (map.height - 1)) / (rows - 1));
      for (let column = 0; column < columns; column++, vertex++) {
        const x = Math.round((column * (map.width - 1)) / (columns - 1));
        // Inverse depth is a line in the values: planes stay planes.
        const depth = 1 / (1 / ratio + (1 - 1 / ratio) * unit(y * map.width + x));
        depths[vertex] = depth;
        const [across, down] = [x - (map.width - 1) / 2, y - (map.height - 1) / 2].map((way) => (2 * way * slope) / longer);
        places.set([across * depth, -down * depth, -depth], 3 * vertex);
        spots.set([(x + 0.5) / map.width, (y + 0.5) / map.height], 2 * vertex);
      }
    }
    const triangles = surfaces(depths, columns, rows);
    this.count = triangles.length;
    this.pivot = -depths.slice().sort()[depths.length >> 1];
    this.slope = slope;
    this.shape = map.width / map.height;
    this.fill("place", this.places, places, 3);
    this.fill("spot", this.spots, spots, 2);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.triangles);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, photo);
  }

  fill(name, buffer, data, size) {
    const { gl } = this;
    const place = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
  }

  draw() {
    const { gl, canvas } = this;
    if (!this.count) return;
    const width = Math.round(canvas.clientWidth * devicePixelRatio) || 640;
    const height = Math.round(canvas.clientHeight * devicePixelRatio) || 480;
    Object.assign(canvas, { width, height });
    gl.viewport(0, 0, width, height);
    gl.clearColor(0.05, 0.05, 0.06, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix4fv(gl.getUniformLocation(this.program, "view"), false, this.matrix(width / height));
    gl.drawElements(gl.TRIANGLES, this.count, gl.UNSIGNED_INT, 0);
  }

  /** Turned round the pivot, seen from the camera, all of the photograph in sight. */
  matrix(shape) {
    const [sy, cy, sx, cx] = [Math.sin(this.angles[0]), Math.cos(this.angles[0]), Math.sin(this.angles[1]), Math.cos(this.angles[1])];
    const [halfWidth, halfHeight] = this.shape >= 1 ? [this.slope, this.slope / this.shape] : [this.slope * this.shape, this.slope];
    const across = Math.max(halfWidth, halfHeight * shape);
    const [a, b] = [this.nearer / across, (this.nearer * shape) / across];
    const [near, far] = [0.02, 400];
    const [c, d] = [(far + near) / (near - far), (2 * far * near) / (near - far)];
    const turned = [[cy, 0, sy], [sx * sy, cx, -sx * cy], [-cx * sy, sx, cx * cy]];
    const p = this.pivot;
    const move = turned.map((row, index) => (index === 2 ? p : 0) - row[2] * p);
    const columns = [];
    for (let column = 0; column < 4; column++) {
      const [x, y, z] = [0, 1, 2].map((row) => (column === 3 ? move[row] : turned[row][column]));
      columns.push(a * x, b * y, c * z + (column === 3 ? d : 0), -z);
    }
    return new Float32Array(columns);
  }
}

/** How far two fingers are apart, in pixels. */
function spread(fingers) {
  const [first, second] = [...fingers.values()];
  return second ? Math.hypot(first[0] - second[0], first[1] - second[1]) : 0;
}

function surfaces(depths, columns, rows) {
  const found = [];
  const whole = (...corners) => {
    const [low, high] = [Math.min(...corners.map((corner) => depths[corner])), Math.max(...corners.map((corner) => depths[corner]))];
    return high <= JUMP * low;
  };
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const corner = row * columns + column;
      const [right, below] = [corner + 1, corner + columns];
      if (whole(corner, right, below)) found.push(corner, below, right);
      if (whole(right, below, below + 1)) found.push(right, below, below + 1);
    }
  }
  return new Uint32Array(found);
}
