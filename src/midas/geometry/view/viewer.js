"use strict";
// The scene stands before the camera at the origin, which looks along -z: the first view is the photograph's own.
const facts = document.getElementById("facts");
const renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
renderer.outputColorSpace = THREE.SRGBColorSpace;
renderer.toneMapping = THREE.NoToneMapping;
document.body.appendChild(renderer.domElement);
const scene = new THREE.Scene();
scene.background = new THREE.Color(0x15171c);
const camera = new THREE.PerspectiveCamera(50, 1, 0.01, 1000);
const controls = new THREE.OrbitControls(camera, renderer.domElement);
let picture = null;

function draw() { renderer.render(scene, camera); }

function fit() {
  renderer.setPixelRatio(window.devicePixelRatio);
  renderer.setSize(window.innerWidth, window.innerHeight);
  camera.aspect = window.innerWidth / window.innerHeight;
  if (picture) {  // the whole photograph, whatever the window's shape
    const half = Math.max(picture.height / 2, picture.width / 2 / camera.aspect);
    camera.fov = 2 * Math.atan(half / picture.focal) * 180 / Math.PI;
  }
  camera.updateProjectionMatrix();
  draw();
}

// "#turn=30,10" in the page's address: first seen from 30 degrees to the right and 10 above.
function goBack(distance, turn = [0, 0]) {
  const [right, up] = turn.map((degrees) => degrees * Math.PI / 180);
  camera.position.set(distance * Math.sin(right) * Math.cos(up), distance * Math.sin(up),
    distance * Math.cos(right) * Math.cos(up) - distance);
  controls.target.set(0, 0, -distance);
  controls.update();
  draw();
}

function bytesOf(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes.buffer;
}

new THREE.GLTFLoader().parse(bytesOf("glb"), "", (gltf) => {
  scene.add(gltf.scene);
  gltf.scene.traverse((part) => {
    if (part.isPoints) part.material.size = 2, part.material.sizeAttenuation = false;
  });
  const box = new THREE.Box3().setFromObject(gltf.scene);
  const said = gltf.asset.extras || {};
  const around = said.values_along === "ray";  // the scene surrounds the camera, which looks into its middle
  const farthest = -box.min.z, nearest = around ? farthest / 50 : Math.max(-box.max.z, farthest / 1e4);
  camera.near = nearest / 20;
  camera.far = farthest * 20;
  const size = /^(\d+) x (\d+)$/.exec(said.image_size || "");
  if (size && !around) picture = { width: Number(size[1]), height: Number(size[2]), focal: Number(said.focal_px) };
  const unit = said.unit === "metre" ? " m" : " × the nearest";
  const range = around ? `${said.projection}, up to ${farthest.toFixed(2)}` : `${nearest.toFixed(2)} to ${farthest.toFixed(2)}`;
  const lens = around ? "" : `, focal length ${said.focal_found}`;
  facts.textContent = `${range}${unit}; shift ${said.alignment_found}${lens}`;
  fit();
  const asked = /turn=(-?[\d.]+),(-?[\d.]+)/.exec(window.location.hash);
  goBack(2 * nearest * farthest / (nearest + farthest), asked ? asked.slice(1).map(Number) : [0, 0]);
  document.body.dataset.ready = "yes";
}, (error) => { facts.textContent = `can't be shown: ${error.message || error}`; document.body.dataset.ready = "no"; });

document.getElementById("back").onclick = () => goBack(controls.target.length() || 1);
controls.addEventListener("change", draw);
window.addEventListener("resize", fit);
fit();
