"""The mPLUG-Owl2 network of a ROC checkpoint in PyTorch, for the scripts beside it.

Modules bear the names of the checkpoint's keys, so that `load_state_dict` fits. The sizes that are
given by default are those of the released model. Everything is batched: [batch, rows, width].
"""
import dataclasses
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


@dataclasses.dataclass
class Sizes:
    width: int = 4096
    hidden: int = 11008
    heads: int = 32
    key_heads: int = 32
    layers: int = 32
    vocabulary: int = 32011
    epsilon: float = 1e-5
    theta: float = 10000.0
    vision: int = 1024
    vision_hidden: int = 4096
    vision_heads: int = 16
    vision_layers: int = 24
    vision_epsilon: float = 1e-6
    picture: int = 448
    patch: int = 14
    abstractor_hidden: int = 2816
    abstractor_heads: int = 16
    abstractor_layers: int = 6
    abstractor_epsilon: float = 1e-6
    queries: int = 64

    @property
    def vision_rows(self):
        return (self.picture // self.patch) ** 2 + 1

    @classmethod
    def of(cls, config):
        """The sizes that a config.json states."""
        vision, abstractor = (config["visual_config"][part] for part in ("visual_model", "visual_abstractor"))
        return cls(
            width=config["hidden_size"],
            hidden=config["intermediate_size"],
            heads=config["num_attention_heads"],
            key_heads=config.get("num_key_value_heads") or config["num_attention_heads"],
            layers=config["num_hidden_layers"],
            vocabulary=config["vocab_size"],
            epsilon=config["rms_norm_eps"],
            theta=config.get("rope_theta", 10000.0),
            vision=vision["hidden_size"],
            vision_hidden=vision["intermediate_size"],
            vision_heads=vision["num_attention_heads"],
            vision_layers=vision["num_hidden_layers"],
            vision_epsilon=vision["layer_norm_eps"],
            picture=vision["image_size"],
            patch=vision["patch_size"],
            abstractor_hidden=abstractor["intermediate_size"],
            abstractor_heads=abstractor["num_attention_heads"],
            abstractor_layers=abstractor["num_hidden_layers"],
            abstractor_epsilon=abstractor["layer_norm_eps"],
            queries=abstractor["num_learnable_queries"],
        )


def heads_of(x, heads):
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)


def attend(q, k, v, **options):
    """Of [batch, heads, rows, head width]; the heads side by side again."""
    return F.scaled_dot_product_attention(q, k, v, **options).transpose(1, 2).flatten(2)


class VisionLayer(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        width, hidden, epsilon = sizes.vision, sizes.vision_hidden, sizes.vision_epsilon
        self.heads = sizes.vision_heads
        self.input_layernorm = nn.LayerNorm(width, epsilon)
        self.self_attn = nn.ModuleDict(
            {"query_key_value": nn.Linear(width, 3 * width), "dense": nn.Linear(width, width)})
        self.post_attention_layernorm = nn.LayerNorm(width, epsilon)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, hidden), "fc2": nn.Linear(hidden, width)})

    def forward(self, x):
        joint = self.self_attn["query_key_value"](self.input_layernorm(x))
        q, k, v = joint.view(*x.shape[:2], self.heads, 3, -1).permute(3, 0, 2, 1, 4)
        x = x + self.self_attn["dense"](attend(q, k, v))
        h = self.mlp["fc1"](self.post_attention_layernorm(x))
        return x + self.mlp["fc2"](h * torch.sigmoid(1.702 * h))


class VisionEmbeddings(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.vision))
        self.position_embedding = nn.Parameter(torch.zeros(1, sizes.vision_rows, sizes.vision))
        self.patch_embed = nn.Conv2d(3, sizes.vision, sizes.patch, stride=sizes.patch, bias=False)
        self.pre_layernorm = nn.LayerNorm(sizes.vision, sizes.vision_epsilon)

    def forward(self, pixels):
        patches = self.patch_embed(pixels).flatten(2).transpose(1, 2)
        first = self.cls_token.expand(len(pixels), -1, -1)
        return self.pre_layernorm(torch.cat([first, patches], 1) + self.position_embedding)


class VisionModel(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.embeddings = VisionEmbeddings(sizes)
        layers = nn.ModuleList(VisionLayer(sizes) for _ in range(sizes.vision_layers))
        self.encoder = nn.ModuleDict({"layers": layers})
        self.post_layernorm = nn.LayerNorm(sizes.vision, sizes.vision_epsilon)

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.encoder["layers"]:
            x = layer(x)
        return self.post_layernorm(x)


class AbstractorAttention(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        width, self.heads = sizes.vision, sizes.abstractor_heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.register_buffer("q_pos_embed", torch.zeros(sizes.queries, width))
        self.register_buffer("k_pos_embed", torch.zeros(sizes.vision_rows, width))

    def forward(self, x, memory):
        q = self.query(x + self.q_pos_embed)
        k = self.key(memory + torch.cat([self.q_pos_embed, self.k_pos_embed]))
        return attend(*(heads_of(part, self.heads) for part in (q, k, self.value(memory))))


class AbstractorLayer(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        width, hidden = sizes.vision, sizes.abstractor_hidden
        self.norm1, self.normk = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = AbstractorAttention(sizes)
        mlp = {
            "w1": nn.Linear(width, hidden),
            "w2": nn.Linear(hidden, width),
            "w3": nn.Linear(width, hidden),
            "ffn_ln": nn.LayerNorm(hidden, sizes.abstractor_epsilon),
        }
        self.output = nn.ModuleDict(
            {"out_proj": nn.Linear(width, width), "norm2": nn.LayerNorm(width), "mlp": nn.ModuleDict(mlp)})

    def forward(self, x, features):
        x = self.norm1(x)
        memory = torch.cat([x, self.normk(features)], 1)
        x = x + self.output["out_proj"](self.attention(x, memory))
        y, mlp = self.output["norm2"](x), self.output["mlp"]
        return x + mlp["w2"](mlp["ffn_ln"](F.silu(mlp["w1"](y)) * mlp["w3"](y)))


class VisualAbstractor(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.query_embeds = nn.Parameter(torch.zeros(1, sizes.queries, sizes.vision))
        self.vit_eos = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.visual_fc = nn.Linear(sizes.vision, sizes.width)
        layers = (nn.ModuleDict({"crossattention": AbstractorLayer(sizes)}) for _ in range(sizes.abstractor_layers))
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(layers)})

    def forward(self, features):
        x = self.query_embeds.expand(len(features), -1, -1)
        for layer in self.encoder["layers"]:
            x = layer["crossattention"](x, features)
        return torch.cat([self.visual_fc(x), self.vit_eos.expand(len(x), -1, -1)], 1)


class Permute(torch.autograd.Function):
    """rows[order]; the gradient is a gather as well, where index_select would add row by row."""

    @staticmethod
    def forward(context, rows, order, back):
        context.back = back
        return rows.index_select(0, order)

    @staticmethod
    def backward(context, gradient):
        return gradient.index_select(0, context.back), None, None


class Modality:
    """Which of the rows [batch, rows] belong to pictures, in the forms that the layers want."""

    def __init__(self, pictures):
        self.mask = pictures.unsqueeze(-1)
        flat = pictures.flatten().int()
        self.order = torch.argsort(flat, stable=True)  # the rows of text first
        self.back = torch.argsort(self.order)
        self.texts = int((flat == 0).sum())


class MultiwayNorm(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.multiway = nn.ModuleList(nn.RMSNorm(sizes.width, sizes.epsilon) for _ in range(2))

    def forward(self, x, modality=None):
        text, picture = self.multiway
        if modality is None:
            return text(x)
        return F.rms_norm(x, x.shape[-1:], eps=text.eps) * torch.where(modality.mask, picture.weight, text.weight)


class MultiwayLinear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.multiway = nn.ModuleList(nn.Linear(inputs, outputs, bias=False) for _ in range(2))


class LlamaAttention(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        width = sizes.width
        self.heads, self.key_heads = sizes.heads, sizes.key_heads
        keys = width // sizes.heads * sizes.key_heads
        self.q_proj, self.o_proj = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.k_proj, self.v_proj = (MultiwayLinear(width, keys) for _ in range(2))

    def keys_and_values(self, x, modality):
        linears = self.k_proj.multiway, self.v_proj.multiway
        if modality is None:
            return [text(x) for text, _ in linears]
        ordered = Permute.apply(x.flatten(0, 1), modality.order, modality.back)
        texts, pictures = ordered[:modality.texts], ordered[modality.texts:]
        joined = (torch.cat([text(texts), picture(pictures)]) for text, picture in linears)
        return [Permute.apply(rows, modality.back, modality.order).view(*x.shape[:2], -1) for rows in joined]

    def forward(self, x, rotary, modality, mask, past):
        k, v = (heads_of(part, self.key_heads) for part in self.keys_and_values(x, modality))
        q, k = rotate(heads_of(self.q_proj(x), self.heads), rotary), rotate(k, rotary)
        if past is not None:
            k, v = (torch.cat(pair, 2) for pair in zip(past, (k, v)))
        options = {"is_causal": mask is None and past is None, "enable_gqa": self.heads != self.key_heads}
        return self.o_proj(attend(q, k, v, attn_mask=mask, **options))


def rotary_table(positions, head, theta):
    """cos and sin [positions, head] for `rotate`."""
    angles = torch.outer(positions.float(), theta ** (-torch.arange(0, head, 2).float() / head))
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x, rotary):
    cos, sin = rotary
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class LlamaLayer(nn.Module):
    """Without `modality` all rows are text; `past` are the keys and values of the rows before."""

    def __init__(self, sizes):
        super().__init__()
        width, hidden = sizes.width, sizes.hidden
        self.input_layernorm, self.post_attention_layernorm = MultiwayNorm(sizes), MultiwayNorm(sizes)
        self.self_attn = LlamaAttention(sizes)
        shapes = {"gate_proj": (width, hidden), "up_proj": (width, hidden), "down_proj": (hidden, width)}
        self.mlp = nn.ModuleDict({name: nn.Linear(*shape, bias=False) for name, shape in shapes.items()})

    def forward(self, x, rotary, modality=None, mask=None, past=None):
        x = x + self.self_attn(self.input_layernorm(x, modality), rotary, modality, mask, past)
        n = self.post_attention_layernorm(x, modality)
        return x + self.mlp["down_proj"](F.silu(self.mlp["gate_proj"](n)) * self.mlp["up_proj"](n))


class Body(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.embed_tokens = nn.Embedding(sizes.vocabulary, sizes.width)
        self.layers = nn.ModuleList(LlamaLayer(sizes) for _ in range(sizes.layers))
        self.norm = nn.RMSNorm(sizes.width, sizes.epsilon)
        self.vision_model = VisionModel(sizes)
        self.visual_abstractor = VisualAbstractor(sizes)


class Model(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.sizes = sizes
        self.learned_weight = nn.Parameter(torch.zeros(1), requires_grad=False)  # stored, never used
        self.lm_head = nn.Linear(sizes.width, sizes.vocabulary, bias=False)
        self.model = Body(sizes)

    def forward(self, ids, pictures, pixels, mask=None):
        """The last hidden states [batch, rows, width]; `lm_head` makes logits of them.

        ids and pictures are [batch, rows]: where `pictures` is true, the rows of the pictures stand
        in place of tokens. Padding stands at the right, so the causal mask keeps it out; `mask` is
        needed only where something else shall not be seen.
        """
        body, sizes = self.model, self.sizes
        rows = body.visual_abstractor(body.vision_model(pixels))
        x = body.embed_tokens(ids).masked_scatter(pictures.unsqueeze(-1), rows)
        rotary = rotary_table(torch.arange(ids.shape[1]), sizes.width // sizes.heads, sizes.theta)
        modality = Modality(pictures)
        for layer in body.layers:
            x = layer(x, rotary, modality, mask)
        return body.norm(x)


def load(folder):
    """The model of a checkpoint folder with safetensors, in float32, and its config.json."""
    from safetensors.torch import load_file

    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        if file.name.startswith(("model", "pytorch_model")):
            weights.update(load_file(file))
    weights = {key: value.float() for key, value in weights.items() if not key.endswith("inv_freq")}
    model = Model(Sizes.of(config))
    model.load_state_dict(weights)
    return model, config
