"""A generated sneaker marketplace: catalogue, customers and clickstream, believable and seeded."""

from local_cloud.marketplace.catalogue import Product
from local_cloud.marketplace.generator import Drop, Marketplace, generate

__all__ = ["Drop", "Marketplace", "Product", "generate"]
