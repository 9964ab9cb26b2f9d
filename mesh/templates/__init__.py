"""What `mesh new` makes, as values: the files of a domain, a product, a contract, a consumer.

Nothing is written here. What the templates make passes every check and every built-in policy as it stands.
"""

from mesh.templates.kinds import TYPES, consumer, contract, domain, product
from mesh.templates.model import NewFile, ProductName, owner_address, product_name

__all__ = [
    "TYPES",
    "NewFile",
    "ProductName",
    "consumer",
    "contract",
    "domain",
    "owner_address",
    "product",
    "product_name",
]
